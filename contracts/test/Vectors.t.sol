// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {DecisionLog} from "../src/DecisionLog.sol";
import {IDecisionLog} from "../src/IDecisionLog.sol";
import {Harness, Vm} from "./Harness.sol";

/// @dev Reads the shared vectors. Each answer is a call of its own, so that the memory which the file takes is free again.
contract Vectors is Harness {
    function file() private view returns (string memory) {
        return vm.readFile("pnyx_contracts/vectors/record.json");
    }

    function has(string calldata key) external view returns (bool) {
        return vm.keyExistsJson(file(), key);
    }

    function word(string calldata key) external view returns (bytes32) {
        return vm.parseJsonBytes32(file(), key);
    }

    function words(string calldata key) external view returns (bytes32[] memory) {
        return vm.parseJsonBytes32Array(file(), key);
    }

    function head(string calldata key) external view returns (bytes24) {
        return bytes24(vm.parseJsonBytes(file(), key));
    }

    function number(string calldata key) external view returns (uint256) {
        return vm.parseJsonUint(file(), key);
    }

    function flag(string calldata key) external view returns (bool) {
        return vm.parseJsonBool(file(), key);
    }

    function text(string calldata key) external view returns (string memory) {
        return vm.parseJsonString(file(), key);
    }

    function account(string calldata key) external view returns (address) {
        return vm.parseJsonAddress(file(), key);
    }

    function accounts(string calldata key) external view returns (address[] memory) {
        return vm.parseJsonAddressArray(file(), key);
    }
}

/// @dev The formulas of docs/record-format.md a third time (after Python and JavaScript), against the same vectors.
contract VectorsTest is Harness {
    bytes32 private constant SCHEMA = keccak256("pnyx.record.v1");
    bytes32 private constant ABSENT = keccak256("pnyx.record.absent.v1");

    Vectors private vectors;

    function setUp() public {
        vectors = new Vectors();
    }

    // --- the formulas

    function leafOf(uint8 position, bytes32 salt, bytes32 hash) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(uint8(0), SCHEMA, position, salt, hash));
    }

    function itemOf(uint8 position, uint32 index, bytes32 salt, bytes32 hash) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(uint8(2), SCHEMA, position, index, salt, hash));
    }

    function listHashOf(uint8 position, bytes32[] memory items) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(uint8(3), SCHEMA, position, uint32(items.length), treeOf(items)));
    }

    function treeOf(bytes32[] memory leaves) private pure returns (bytes32) {
        return leaves.length == 0 ? bytes32(0) : treeOf(leaves, 0, leaves.length);
    }

    function treeOf(bytes32[] memory leaves, uint256 from, uint256 to) private pure returns (bytes32) {
        if (to - from == 1) return leaves[from];
        uint256 split = 1;
        while (split * 2 < to - from) split *= 2;
        return keccak256(
            abi.encodePacked(uint8(1), treeOf(leaves, from, from + split), treeOf(leaves, from + split, to))
        );
    }

    // --- the way through the file

    function at(string memory list, uint256 index) private pure returns (string memory) {
        return string.concat(list, "[", vm.toString(index), "]");
    }

    function lengthOf(string memory list) private view returns (uint256 length) {
        while (vectors.has(at(list, length))) ++length;
    }

    /// @dev A list that must not be empty: a test over nothing would say nothing.
    function someOf(string memory list) private view returns (uint256 length) {
        length = lengthOf(list);
        vm.assertTrue(length != 0, string.concat("no vectors at ", list));
    }

    function wordAt(string memory path, string memory member) private view returns (bytes32) {
        return vectors.word(string.concat(path, member));
    }

    function numberAt(string memory path, string memory member) private view returns (uint256) {
        return vectors.number(string.concat(path, member));
    }

    // --- the record

    function test_canonicalValuesHaveTheirHashes() public view {
        for (uint256 i = someOf(".canonical"); i != 0; --i) {
            string memory path = at(".canonical", i - 1);
            bytes32 hash = keccak256(bytes(vectors.text(string.concat(path, ".canonical"))));
            vm.assertEq(hash, wordAt(path, ".hash"));
        }
    }

    function test_leaves() public view {
        string[3] memory canonical = ['{"agent":"sample"}', '"id = \\"sample\\"\\n"', "null"];
        uint256 count = someOf(".leaves");
        vm.assertTrue(count > canonical.length, "no absent leaf");
        for (uint256 i = 0; i < count; ++i) {
            string memory path = at(".leaves", i);
            bytes32 hash = i < canonical.length ? keccak256(bytes(canonical[i])) : ABSENT;
            vm.assertEq(
                leafOf(uint8(numberAt(path, ".position")), wordAt(path, ".salt"), hash), wordAt(path, ".leaf")
            );
        }
    }

    function test_trees() public view {
        for (uint256 i = someOf(".trees"); i != 0; --i) {
            string memory path = at(".trees", i - 1);
            vm.assertEq(treeOf(vectors.words(string.concat(path, ".leaves"))), wordAt(path, ".root"));
        }
    }

    function test_lists() public view {
        for (uint256 i = someOf(".lists"); i != 0; --i) {
            string memory path = at(".lists", i - 1);
            uint8 position = uint8(numberAt(path, ".position"));
            bytes32[] memory items = new bytes32[](lengthOf(string.concat(path, ".items")));
            for (uint256 j = 0; j < items.length; ++j) {
                string memory item = at(string.concat(path, ".items"), j);
                bytes32 hash = keccak256(bytes(string.concat('{"rule":"rule ', vm.toString(j), '"}')));
                items[j] = itemOf(position, uint32(j), wordAt(item, ".salt"), hash);
                vm.assertEq(items[j], wordAt(item, ".hash"));
            }
            vm.assertEq(listHashOf(position, items), wordAt(path, ".hash"));
        }
    }

    function test_promptHashes() public view {
        for (uint256 i = someOf(".prompts"); i != 0; --i) {
            string memory path = at(".prompts", i - 1);
            bytes32[] memory attempts = new bytes32[](lengthOf(string.concat(path, ".attempts")));
            for (uint256 j = 0; j < attempts.length; ++j) {
                attempts[j] = attemptAt(at(string.concat(path, ".attempts"), j));
            }
            bytes32 tree = attempts.length == 0 ? keccak256("pnyx.prompt.none.v1") : treeOf(attempts);
            bytes32 hash =
                keccak256(abi.encodePacked(keccak256("pnyx.prompt.v1"), wordAt(path, ".salt"), tree));
            vm.assertEq(hash, wordAt(path, ".prompt_hash"));
        }
    }

    function attemptAt(string memory path) private view returns (bytes32 hash) {
        string memory response = vectors.text(string.concat(path, ".response"));
        bytes32 responseHash = keccak256(bytes(response)) == keccak256("null")
            ? keccak256("pnyx.prompt.no-response.v1")
            : keccak256(bytes(response));
        hash = keccak256(
            abi.encodePacked(
                uint8(4),
                uint32(numberAt(path, ".opinion")),
                uint32(numberAt(path, ".number")),
                keccak256(bytes(vectors.text(string.concat(path, ".request")))),
                responseHash
            )
        );
        vm.assertEq(hash, wordAt(path, ".hash"));
    }

    // --- disclosures

    function test_disclosuresOpenWhatTheySay() public view {
        bytes32 root = vectors.word(".disclosures.record_root");
        for (uint256 i = someOf(".disclosures.opens"); i != 0; --i) {
            string memory path = at(".disclosures.opens", i - 1);
            bytes32[] memory leaves = vectors.words(string.concat(path, ".leaves"));
            vm.assertEq(leaves.length, 16);
            vm.assertEq(treeOf(leaves), root);
            checkFields(string.concat(path, ".fields"), leaves);
            checkLists(string.concat(path, ".lists"), leaves);
            checkItems(string.concat(path, ".items"), string.concat(path, ".lists"));
        }
    }

    function checkFields(string memory fields, bytes32[] memory leaves) private view {
        for (uint256 i = lengthOf(fields); i != 0; --i) {
            string memory path = at(fields, i - 1);
            uint8 position = uint8(numberAt(path, ".position"));
            bytes32 leaf = leafOf(position, wordAt(path, ".salt"), wordAt(path, ".value_hash"));
            vm.assertEq(leaf, wordAt(path, ".leaf"));
            vm.assertEq(leaf, leaves[position]);
        }
    }

    function checkLists(string memory lists, bytes32[] memory leaves) private view {
        for (uint256 i = lengthOf(lists); i != 0; --i) {
            string memory path = at(lists, i - 1);
            uint8 position = uint8(numberAt(path, ".position"));
            bytes32 hash = listHashOf(position, vectors.words(string.concat(path, ".items")));
            vm.assertEq(hash, wordAt(path, ".hash"));
            vm.assertEq(leafOf(position, wordAt(path, ".salt"), hash), leaves[position]);
        }
    }

    function checkItems(string memory items, string memory lists) private view {
        for (uint256 i = lengthOf(items); i != 0; --i) {
            string memory path = at(items, i - 1);
            uint256 position = numberAt(path, ".position");
            uint256 index = numberAt(path, ".index");
            bytes32 item =
                itemOf(uint8(position), uint32(index), wordAt(path, ".salt"), wordAt(path, ".value_hash"));
            vm.assertEq(item, wordAt(path, ".hash"));
            vm.assertEq(item, itemsOf(lists, position)[index]);
        }
    }

    function itemsOf(string memory lists, uint256 position) private view returns (bytes32[] memory) {
        uint256 i = 0;
        while (numberAt(at(lists, i), ".position") != position) ++i;
        return vectors.words(string.concat(at(lists, i), ".items"));
    }

    // --- the log

    function test_tags() public view {
        string[8] memory tags = [
            "pnyx.record.v1",
            "pnyx.record.absent.v1",
            "pnyx.prompt.v1",
            "pnyx.prompt.none.v1",
            "pnyx.prompt.no-response.v1",
            "pnyx.DecisionLog.genesis.v1",
            "pnyx.DecisionLog.succession.v1",
            "pnyx.VoteGate.administration.v1"
        ];
        for (uint256 i = 0; i < tags.length; ++i) {
            string memory key = string.concat(".constants['", tags[i], "']");
            vm.assertEq(vectors.word(key), keccak256(bytes(tags[i])));
        }
    }

    function test_subjectsAndActions() public view {
        bytes memory proposal = abi.encode(
            vectors.number(".subject.chain_id"),
            vectors.account(".subject.governor"),
            vectors.number(".subject.proposal_id")
        );
        vm.assertEq(keccak256(proposal), vectors.word(".subject.subject"));
        for (uint256 i = someOf(".actions"); i != 0; --i) {
            string memory path = at(".actions", i - 1);
            vm.assertEq(bytes32(numberAt(path, ".support")), wordAt(path, ".action"));
        }
        for (uint256 i = someOf(".administration"); i != 0; --i) {
            string memory path = at(".administration", i - 1);
            bytes memory change = abi.encode(
                vectors.account(string.concat(path, ".account")), vectors.flag(string.concat(path, ".flag"))
            );
            vm.assertEq(keccak256(change), wordAt(path, ".subject"));
        }
        bytes memory succession =
            abi.encode(vectors.account(".succession.old_writer"), vectors.account(".succession.new_writer"));
        vm.assertEq(keccak256(succession), vectors.word(".succession.subject"));
        vm.assertEq(
            keccak256(abi.encode(declarationAt(".declaration"))), vectors.word(".declaration.subject")
        );
    }

    function declarationAt(string memory path) private view returns (IDecisionLog.Configuration memory) {
        return IDecisionLog.Configuration(
            wordAt(path, ".config_hash"),
            vectors.accounts(string.concat(path, ".governors")),
            vectors.text(string.concat(path, ".evidence_uri"))
        );
    }

    function test_heads() public view {
        bytes24 last = foldAt(".writer");
        foldAt(".successor");
        vm.assertEq(vectors.word(".successor.entries[0].record_root"), bytes32(last));
    }

    function foldAt(string memory path) private view returns (bytes24 head) {
        vm.assertEq(numberAt(path, ".chain_id"), block.chainid);
        bytes32 genesis = genesisOf(
            vectors.account(string.concat(path, ".log")),
            vectors.account(string.concat(path, ".writer")),
            vectors.account(string.concat(path, ".operator")),
            uint32(numberAt(path, ".notice_seconds")),
            declarationAt(string.concat(path, ".declaration"))
        );
        vm.assertEq(genesis, wordAt(path, ".genesis"));
        head = bytes24(genesis);
        vm.assertEq(bytes32(head), bytes32(vectors.head(string.concat(path, ".head"))));
        string memory entries = string.concat(path, ".entries");
        for (uint256 i = 0; i < someOf(entries); ++i) {
            head = foldEntry(head, at(entries, i));
            vm.assertEq(bytes32(head), bytes32(vectors.head(string.concat(at(entries, i), ".head"))));
        }
    }

    function foldEntry(bytes24 head, string memory path) private view returns (bytes24) {
        Vm.Log memory entry;
        entry.topics = new bytes32[](4);
        entry.topics[2] = wordAt(path, ".subject");
        entry.topics[3] = bytes32(numberAt(path, ".kind"));
        entry.data = abi.encode(
            numberAt(path, ".seq"),
            numberAt(path, ".epoch"),
            numberAt(path, ".time"),
            wordAt(path, ".prompt_hash"),
            wordAt(path, ".record_root"),
            wordAt(path, ".action")
        );
        return foldOf(head, entry);
    }

    // --- the contract itself says the same

    function test_theLogMakesTheSameHeads() public {
        uint256[2] memory counts = [someOf(".writer.entries"), someOf(".successor.entries")];
        vm.assertTrue(counts[0] > 1 && counts[1] > 1, "too few entries");
        address log = vectors.account(".writer.log");
        vm.etch(log, address(new DecisionLog()).code);
        registerAt(log, ".writer");
        registerAt(log, ".successor");
        vm.assertEq(bytes32(headOf(log, ".writer")), bytes32(vectors.head(".writer.head")));
        vm.assertEq(bytes32(headOf(log, ".successor")), bytes32(vectors.head(".successor.head")));
    }

    function registerAt(address log, string memory path) private {
        address writer = vectors.account(string.concat(path, ".writer"));
        address operator = vectors.account(string.concat(path, ".operator"));
        uint32 notice = uint32(numberAt(path, ".notice_seconds"));
        IDecisionLog.Configuration memory declaration = declarationAt(string.concat(path, ".declaration"));
        vm.prank(writer);
        IDecisionLog(log).register(operator, notice, declaration);
    }

    function headOf(address log, string memory path) private view returns (bytes24 head) {
        (head,,,) = IDecisionLog(log).stateOf(vectors.account(string.concat(path, ".writer")));
    }
}
