// Evidence in a folder: for Node only, so nothing that runs in a browser imports it.
import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import { MAX_FILE_BYTES } from "./bundle.js";
import { VerifierError } from "./errors.js";
import { causeOf } from "./http.js";

/**
 * A misspelled folder must not look like evidence that was removed, so one that is not there is wrong usage.
 * @param {string} folder @returns {Promise<import("./evidence.js").Store>}
 */
export async function folderStore(folder) {
  const found = await stat(folder).catch(() => null);
  if (!found?.isDirectory()) {
    throw new VerifierError("usage", `there is no folder ${folder}`, { hint: "name the folder or the URL where the evidence lies" });
  }
  return { read: (name) => readFile(join(folder, name)) };
}

/** @param {string} path @returns {Promise<Uint8Array | null>} */
async function readFile(path) {
  try {
    const file = await open(path);
    try {
      if ((await file.stat()).size > MAX_FILE_BYTES) throw new Error(`larger than ${MAX_FILE_BYTES} bytes, not read`);
      return new Uint8Array(await file.readFile());
    } finally {
      await file.close();
    }
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "ENOENT") return null;
    throw new VerifierError("unreachable", `${path}: ${causeOf(error)}`);
  }
}
