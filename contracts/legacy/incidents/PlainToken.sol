// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.0;

import {ERC20} from "@openzeppelin/contracts-v4.3/token/ERC20/ERC20.sol";

// What a treasury holds besides the tokens that vote.

contract PlainToken is ERC20 {
    constructor(address holder, uint256 supply) ERC20("Plain token", "PLAIN") {
        _mint(holder, supply);
    }
}
