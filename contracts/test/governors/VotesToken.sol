// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC20Votes} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Votes.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";

/// @dev A governance token with a fixed supply, minted to one holder.
abstract contract VotesToken is ERC20Permit, ERC20Votes {
    constructor(string memory name, string memory symbol, address holder, uint256 supply)
        ERC20(name, symbol)
        ERC20Permit(name)
    {
        _mint(holder, supply);
    }

    function nonces(address owner) public view override(ERC20Permit, Nonces) returns (uint256) {
        return super.nonces(owner);
    }

    function _update(address from, address to, uint256 value) internal override(ERC20, ERC20Votes) {
        super._update(from, to, value);
    }
}

contract VotesTokenBlock is VotesToken {
    constructor(address holder, uint256 supply) VotesToken("Votes by block", "VOTEB", holder, supply) {}
}

contract VotesTokenTimestamp is VotesToken {
    constructor(address holder, uint256 supply) VotesToken("Votes by time", "VOTET", holder, supply) {}

    function clock() public view override returns (uint48) {
        return uint48(block.timestamp);
    }

    // solhint-disable-next-line func-name-mixedcase
    function CLOCK_MODE() public pure override returns (string memory) {
        return "mode=timestamp";
    }
}
