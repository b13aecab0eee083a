// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title The one call that a gate or an atomic account makes to a governor
interface IVotable {
    function castVoteWithReason(uint256 proposalId, uint8 support, string calldata reason)
        external
        returns (uint256 weight);
}
