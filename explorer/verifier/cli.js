#!/usr/bin/env node
// The check from a terminal, without Python: docs/verifying-js.md.
import { command } from "./command.js";

process.exitCode = await command(process.argv.slice(2), console.log, console.error);
