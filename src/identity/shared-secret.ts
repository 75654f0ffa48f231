/** Secrets that have no client's half: the encryption key of JetStream and the one password of Tile38. */
import type { EncryptionDocument, Tile38Document } from "./documents.ts";
import { createPassword } from "./key-material.ts";
import { type Action, Refused, type Transition } from "./rotation.ts";

const written = (document: object, says: string): Transition => ({ steps: [{ half: "server", document }], says });
const nothing = (says: string): Transition => ({ steps: [], says });

/** Never without the key that the files on disk were written with: they could not be read again. */
export function changeEncryptionKey(action: Action, now: EncryptionDocument | undefined): Transition {
  if (action === "create") {
    return now ? nothing("there already") : written({ current: createPassword(), previous: "" }, "created");
  }
  if (action === "move") throw new Refused("encryption-key: nobody logs in with it, so there is no NKey to move to.");
  if (action === "revoke" || action === "withdraw") {
    throw new Refused(
      "encryption-key: a revoked key would take everything stored with it. Rotate, give one server after the other an empty " +
        "volume (docs/rotation.md), then finish.",
    );
  }
  if (!now) throw new Refused(`encryption-key: there is nothing to ${action}. Run create first.`);
  if (action === "rotate") {
    if (now.previous !== "") return nothing(`rotated already: ${REPLACE}`);
    return written({ current: createPassword(), previous: now.current }, `rotated: ${REPLACE}`);
  }
  if (now.previous === "") return nothing("nothing to finish");
  return written({ current: now.current, previous: "" }, "finished: a volume with the previous key starts no more");
}

/** The server cannot change the key of files that are there: encryption-script.ts. */
const REPLACE =
  "volumes keep the previous key. Give one server after the other an empty volume (docs/rotation.md), then run finish";

export function changeTile38Password(action: Action, now: Tile38Document | undefined): Transition {
  switch (action) {
    case "create":
      return now ? nothing("there already") : written({ password: createPassword() }, "created");
    case "revoke":
      if (!now) throw new Refused("tile38-password: there is nothing to revoke.");
      return replacedTile38Password();
    default:
      throw new Refused(
        "tile38-password: Tile38 knows one password at a time, so there is no rotation without an interruption. Plan one, and use revoke.",
      );
  }
}

/** A new password in place of whatever there is, readable or not. */
export const replacedTile38Password = (): Transition =>
  written(
    { password: createPassword() },
    "revoked. Restart leader, followers and clients: in between they refuse each other",
  );
