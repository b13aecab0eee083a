// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.0;

// Tokens that do not tell the truth about themselves: balances and allowances that change without an
// event, events of what never happened.

contract SilentToken {
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    uint8 public constant decimals = 18;
    string public constant symbol = "SILENT";

    event Transfer(address indexed from, address indexed to, uint256 amount);

    constructor(address holder, uint256 supply) {
        balanceOf[holder] = supply;
    }

    /// @dev As WETH: the event of an unwrapping is none of a transfer.
    receive() external payable {}

    function transfer(address to, uint256 amount) external returns (bool) {
        _move(to, amount);
        emit Transfer(msg.sender, to, amount);
        return true;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function settle(address to, uint256 amount) external {
        _move(to, amount);
    }

    function pretend(address to, uint256 amount) external {
        emit Transfer(msg.sender, to, amount);
    }

    function withdraw(uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        payable(msg.sender).transfer(amount);
    }

    function _move(address to, uint256 amount) private {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
    }
}
