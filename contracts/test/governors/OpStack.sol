// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @dev What counts of the OP stack's L2CrossDomainMessenger for whoever is called by it: it tells the sender from the
/// same place in its storage. The tests put its code at the messenger's address.
contract OpMessenger {
    uint256[204] private _before;
    address private _sender;

    function xDomainMessageSender() external view returns (address) {
        require(_sender != address(0), "CrossDomainMessenger: xDomainMessageSender is not set");
        return _sender;
    }
}

/// @dev A DAO's account on an OP stack chain: it believes the messenger, and only when that names the DAO.
contract BridgedAccount {
    OpMessenger private constant MESSENGER = OpMessenger(0x4200000000000000000000000000000000000007);

    address public immutable dao;
    address public owner;

    constructor(address dao_) payable {
        dao = dao_;
        owner = dao_;
    }

    modifier onlyDao() {
        require(msg.sender == address(MESSENGER), "BridgedAccount: not the messenger");
        require(MESSENGER.xDomainMessageSender() == dao, "BridgedAccount: not the DAO");
        _;
    }

    /// @dev A name that nobody would look for.
    function tidyUp(address owner_) external payable onlyDao {
        owner = owner_;
    }

    function execute(address target, uint256 value, bytes calldata data) external payable onlyDao {
        (bool success,) = target.call{value: value}(data);
        require(success, "BridgedAccount: the call failed");
    }
}
