// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.0;

// Shapes of governance incidents, rebuilt small, for tests of what is seen of them before the vote. Compiled for a fork
// before Cancun, so that contracts which destroy themselves can come back.

// --- Tornado Cash, May 2023: a payload that is run by delegatecall, destroyed after approval, and made again

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

// --- Beanstalk, April 2022: a diamond cut that cuts nothing, and whose initialiser takes everything

contract SmallDiamond {
    struct FacetCut {
        address facetAddress;
        uint8 action;
        bytes4[] functionSelectors;
    }

    address public immutable owner;

    event DiamondCut(FacetCut[] cut, address init, bytes data);

    constructor(address owner_) payable {
        owner = owner_;
    }

    function diamondCut(FacetCut[] calldata cut, address init, bytes calldata data) external {
        require(msg.sender == owner, "SmallDiamond: not the owner");
        (bool success,) = init.delegatecall(data);
        require(success, "SmallDiamond: init failed");
        emit DiamondCut(cut, init, data);
    }
}

contract SweepInit {
    function sweep() external {
        payable(0x000000000000000000000000000000000000bEEF).transfer(address(this).balance);
    }
}

// --- Compound 062, September 2021: an honest upgrade with one operator that is too strict

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

// --- Compound 117, August 2022: a new oracle that asks each market for what one of them has not

interface IMarket {
    function underlying() external view returns (address);
}

contract TokenMarket {
    address public underlying = address(1);
}

contract CoinMarket {}

contract SimpleOracle {
    function getUnderlyingPrice(address) external pure returns (uint256) {
        return 1e18;
    }
}

contract AskingOracle {
    function getUnderlyingPrice(address market) external view returns (uint256) {
        return IMarket(market).underlying() == address(1) ? 1e18 : 2e18;
    }
}

contract Lender {
    address public immutable admin;
    SimpleOracle public oracle;

    event NewPriceOracle(address oldOracle, address newOracle);

    constructor(address admin_, SimpleOracle oracle_) {
        admin = admin_;
        oracle = oracle_;
    }

    function _setPriceOracle(SimpleOracle newOracle) external {
        require(msg.sender == admin, "Lender: not the admin");
        emit NewPriceOracle(address(oracle), address(newOracle));
        oracle = newOracle;
    }

    function getUnderlyingPrice(address market) external view returns (uint256) {
        return oracle.getUnderlyingPrice(market);
    }
}
