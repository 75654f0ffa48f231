/** Whether a server has done what it was asked for: one that does not know a field may drop it and answer OK. */
import { isDeepStrictEqual } from "node:util";
import type { WireConfig } from "./desired.ts";

/** Fields that were sent and are not there. */
export const lostFields = (kept: WireConfig, sent: WireConfig): string[] =>
  Object.keys(sent).filter((field) => !isDeepStrictEqual(kept[field], sent[field]));

/** Servers before 2.12, and later ones with `strict: false`, drop fields that they do not know: that is no success. */
export const notKept = (name: string, lost: readonly string[]): Error =>
  new Error(
    `${name}: the server did not keep ${lost.join(", ")}. It may be older than these fields: see its version above.`,
  );
