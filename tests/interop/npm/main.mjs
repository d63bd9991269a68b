// Answers requests, a JSON object a line, with what other people's libraries make of them.
//
// A refusal by a library is an answer ("ok": false); only a line that is no request ends the process.

import { createInterface } from "node:readline";

import * as jose from "./jose.mjs";
import * as sdJwtVc from "./sd_jwt_vc.mjs";
import * as statusList from "./status_list.mjs";

const libraries = { jose, sdJwtVc, statusList };

async function answer({ library, call, ...request }) {
  try {
    return { ok: true, value: await libraries[library][call](request) };
  } catch (error) {
    return { ok: false, error: { name: error.name, code: error.code ?? null, message: error.message } };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`);
}
