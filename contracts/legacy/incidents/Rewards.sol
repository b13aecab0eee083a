// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.0;

// Compound 062, September 2021: an honest upgrade with one operator that is too strict.

/// @dev EIP-1967, with an admin who upgrades.
contract RewardsProxy {
    bytes32 private constant SLOT = bytes32(uint256(keccak256("eip1967.proxy.implementation")) - 1);
    address public immutable admin;

    event Upgraded(address indexed implementation);

    constructor(address admin_, address implementation) {
        admin = admin_;
        _set(implementation);
    }

    function upgradeTo(address implementation) external {
        require(msg.sender == admin, "RewardsProxy: not the admin");
        _set(implementation);
        emit Upgraded(implementation);
    }

    function _set(address implementation) private {
        bytes32 slot = SLOT;
        assembly {
            sstore(slot, implementation)
        }
    }

    fallback() external {
        bytes32 slot = SLOT;
        assembly {
            calldatacopy(0, 0, calldatasize())
            let done := delegatecall(gas(), sload(slot), 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            switch done
            case 0 { revert(0, returndatasize()) }
            default { return(0, returndatasize()) }
        }
    }
}

/// @dev A market in which nothing is distributed: its index stays where it began.
contract Rewards {
    uint256 internal constant INITIAL_INDEX = 1e36;
    mapping(address => uint256) public balanceOf;
    mapping(address => uint256) public indexOf;

    function deposit(uint256 amount) external {
        balanceOf[msg.sender] += amount;
    }

    function marketIndex() public pure returns (uint256) {
        return INITIAL_INDEX;
    }

    function claimable(address account) external view virtual returns (uint256) {
        uint256 index = indexOf[account];
        if (index == 0 && marketIndex() >= INITIAL_INDEX) index = INITIAL_INDEX;
        return (marketIndex() - index) / 1e18 * balanceOf[account] / 1e18;
    }
}

contract RewardsWithBug is Rewards {
    function claimable(address account) external view override returns (uint256) {
        uint256 index = indexOf[account];
        if (index == 0 && marketIndex() > INITIAL_INDEX) index = INITIAL_INDEX;
        return (marketIndex() - index) / 1e18 * balanceOf[account] / 1e18;
    }
}
