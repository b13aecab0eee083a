// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.0;

// Upgrades of a vault: one that appends a variable, and one that puts it in before others, whose values it then reads
// from each other's places.

contract Vault {
    address public asset;
    uint256 public feeBps;
    uint256 public totalAssets;
    mapping(address => uint256) public balanceOf;

    function initialize(address asset_, uint256 feeBps_) external {
        require(asset == address(0), "Vault: initialised");
        (asset, feeBps) = (asset_, feeBps_);
    }

    function deposit(uint256 amount) external {
        balanceOf[msg.sender] += amount;
        totalAssets += amount;
    }

    function version() external pure virtual returns (string memory) {
        return "1";
    }

    function maxFeeBps() external pure virtual returns (uint256) {
        return 500;
    }
}

contract VaultAppended is Vault {
    uint256 public cap;

    function setFee(uint256 feeBps_) external {
        feeBps = feeBps_;
    }

    function version() external pure override returns (string memory) {
        return "2";
    }

    function maxFeeBps() external pure override returns (uint256) {
        return 700;
    }
}

contract VaultShifted {
    uint256 public cap;
    address public asset;
    uint256 public feeBps;
    uint256 public totalAssets;
    mapping(address => uint256) public balanceOf;

    function deposit(uint256 amount) external {
        require(totalAssets + amount <= cap, "VaultShifted: full");
        balanceOf[msg.sender] += amount;
        totalAssets += amount;
    }

    function version() external pure returns (string memory) {
        return "2";
    }
}

/// @dev Leaves room in front: whether it was initialised is read from there, too.
contract VaultReopened {
    uint256[8] private __gap;
    address public asset;
    uint256 public feeBps;
    uint256 public totalAssets;
    mapping(address => uint256) public balanceOf;

    function initialize(address asset_, uint256 feeBps_) external {
        require(asset == address(0), "VaultReopened: initialised");
        (asset, feeBps) = (asset_, feeBps_);
    }
}

/// @dev Gives code to many proxies at once.
contract VaultBeacon {
    address public immutable owner;
    address public implementation;

    event Upgraded(address indexed implementation);

    constructor(address owner_, address implementation_) {
        (owner, implementation) = (owner_, implementation_);
    }

    function upgradeTo(address implementation_) external {
        require(msg.sender == owner, "VaultBeacon: not the owner");
        implementation = implementation_;
        emit Upgraded(implementation_);
    }
}

/// @dev EIP-1967, with a beacon.
contract BeaconVault {
    bytes32 private constant SLOT = bytes32(uint256(keccak256("eip1967.proxy.beacon")) - 1);

    event BeaconUpgraded(address indexed beacon);

    constructor(address beacon) {
        bytes32 slot = SLOT;
        assembly {
            sstore(slot, beacon)
        }
        emit BeaconUpgraded(beacon);
    }

    fallback() external {
        bytes32 slot = SLOT;
        address beacon;
        assembly {
            beacon := sload(slot)
        }
        address target = VaultBeacon(beacon).implementation();
        assembly {
            calldatacopy(0, 0, calldatasize())
            let done := delegatecall(gas(), target, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            switch done
            case 0 { revert(0, returndatasize()) }
            default { return(0, returndatasize()) }
        }
    }
}

/// @dev EIP-2535, with as much as an upgrade needs.
contract LayeredDiamond {
    struct FacetCut {
        address facetAddress;
        uint8 action;
        bytes4[] functionSelectors;
    }

    struct Facet {
        address facetAddress;
        bytes4[] functionSelectors;
    }

    struct Layout {
        mapping(bytes4 => address) facetOf;
        bytes4[] selectors;
    }

    address public immutable owner;

    event DiamondCut(FacetCut[] cut, address init, bytes data);

    constructor(address owner_) {
        owner = owner_;
    }

    function diamondCut(FacetCut[] calldata cut, address init, bytes calldata data) external {
        Layout storage layout = _layout();
        require(msg.sender == owner || layout.selectors.length == 0, "LayeredDiamond: not the owner");
        for (uint256 i = 0; i < cut.length; i++) {
            for (uint256 j = 0; j < cut[i].functionSelectors.length; j++) {
                bytes4 selector = cut[i].functionSelectors[j];
                if (cut[i].action == 0) layout.selectors.push(selector);
                layout.facetOf[selector] = cut[i].facetAddress;
            }
        }
        if (init != address(0)) {
            (bool success,) = init.delegatecall(data);
            require(success, "LayeredDiamond: init failed");
        }
        emit DiamondCut(cut, init, data);
    }

    function facets() external view returns (Facet[] memory found) {
        Layout storage layout = _layout();
        found = new Facet[](1);
        found[0].functionSelectors = layout.selectors;
    }

    function _layout() private pure returns (Layout storage layout) {
        bytes32 slot = keccak256("diamond.standard.diamond.storage");
        assembly {
            layout.slot := slot
        }
    }

    fallback() external {
        address target = _layout().facetOf[msg.sig];
        require(target != address(0), "LayeredDiamond: no such function");
        assembly {
            calldatacopy(0, 0, calldatasize())
            let done := delegatecall(gas(), target, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            switch done
            case 0 { revert(0, returndatasize()) }
            default { return(0, returndatasize()) }
        }
    }
}
