// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.0;

// Compound 289, July 2024: a trust that the DAO allows to take tokens, and that its proposer's multisig steers.

interface IMovable {
    function transfer(address to, uint256 amount) external returns (bool);
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

contract TrustSetup {
    address public immutable dao;
    address public immutable trustees;
    IMovable public immutable token;
    uint8 public phase;

    constructor(address dao_, address trustees_, IMovable token_) {
        dao = dao_;
        trustees = trustees_;
        token = token_;
    }

    /// @dev 1 lets the trustees invest.
    function grantPhase(uint8 phase_) external {
        require(msg.sender == dao, "TrustSetup: not the DAO");
        phase = phase_;
    }

    function invest(address to, uint256 amount) external {
        require(msg.sender == trustees && phase == 1, "TrustSetup: not now, or not you");
        token.transfer(to, amount);
    }
}

/// @dev Holds what is streamed. Nobody withdraws here.
contract Streams {
    uint256 public nextStreamId = 1;

    function createStream(address, uint256 deposit, IMovable token, uint256 start, uint256 stop)
        external
        returns (uint256)
    {
        require(start < stop, "Streams: it ends before it begins");
        token.transferFrom(msg.sender, address(this), deposit);
        return nextStreamId++;
    }
}
