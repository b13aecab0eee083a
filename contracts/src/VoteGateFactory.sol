// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IDecisionLog} from "./IDecisionLog.sol";
import {VoteGate} from "./VoteGate.sol";

/// @title VoteGateFactory
/// @notice Makes vote gates for one decision log and says which gates are its own. Gates have immutables, so their code
/// alone does not tell a stranger that they are genuine; this contract does.
contract VoteGateFactory {
    /// @notice The log that all gates of this factory write to.
    IDecisionLog public immutable log;

    /// @notice Whether this factory made the gate.
    mapping(address gate => bool) public isGate;

    event GateCreated(
        address indexed gate, address indexed operator, address indexed guardian, address signer
    );

    /// @notice There is no contract at the address of the log.
    error VoteGateFactoryNoLog(address log);

    constructor(IDecisionLog log_) {
        require(address(log_).code.length != 0, VoteGateFactoryNoLog(address(log_)));
        log = log_;
    }

    /// @notice Makes a gate and registers it in the log. Open to everybody.
    /// @param operator announces changes of the signer, of the governors and of the configuration
    /// @param guardian pauses votes; usually the DAO's timelock
    /// @param signer votes and notes
    /// @param delaySeconds delay of changes of signer and governors
    /// @param noticeSeconds notice of changes of the configuration
    /// @param configuration its governors are the first allowlist of the gate
    function create(
        address operator,
        address guardian,
        address signer,
        uint32 delaySeconds,
        uint32 noticeSeconds,
        IDecisionLog.Configuration calldata configuration
    ) external returns (address gate) {
        gate = address(
            new VoteGate(log, operator, guardian, signer, delaySeconds, noticeSeconds, configuration)
        );
        isGate[gate] = true;
        emit GateCreated(gate, operator, guardian, signer);
    }
}
