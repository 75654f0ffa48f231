/**
 * What each command does to the two halves of a credential, as pure steps in an order that may be cut off anywhere: what was
 * valid and in a client's hands before a step of `rotate` or `finish` is valid after it, and the same command run again
 * completes it.
 */
import { type Fresh, type Halves, moved, type Scheme, type Standing, standingOf } from "./credential.ts";
import type { LoginDocument } from "./documents.ts";

/** `move` is a rotation from a password to an NKey, `withdraw` a revoke without a new credential. */
export type Action = "create" | "rotate" | "move" | "finish" | "revoke" | "withdraw";

/** One document to write. */
export interface Step {
  readonly half: "server" | "client";
  readonly document: object;
  /** Whether every server must have taken the steps before: a client that comes with this one too early is turned away. */
  readonly afterServers?: boolean;
}

export interface Transition {
  readonly steps: readonly Step[];
  /** For people: what comes of it. */
  readonly says: string;
}

/** Something that must be done first. The message says what. */
export class Refused extends Error {
  override readonly name = "Refused";
}

/** @throws Refused where `action` does not follow from how the halves stand */
export function transition(action: Action, name: string, scheme: Scheme, halves: Halves): Transition {
  const standing = standingOf(scheme, halves);
  return ACTIONS[action]({ name, scheme, halves, standing });
}

interface Situation {
  readonly name: string;
  readonly scheme: Scheme;
  readonly halves: Halves;
  readonly standing: Standing;
}

const nothing = (says: string): Transition => ({ steps: [], says });

const ACTIONS: Readonly<Record<Action, (situation: Situation) => Transition>> = {
  // The client's half first: without the server's half nobody can log in yet, and the half that is hard to tell again is safe.
  create({ name, scheme, halves: { client }, standing }) {
    switch (standing) {
      case "missing": {
        const fresh = scheme.fresh(name);
        const steps: Step[] = [
          { half: "client", document: fresh.client },
          { half: "server", document: scheme.document(fresh.entry) },
        ];
        return { steps, says: "created" };
      }
      case "unregistered": {
        if (!client) throw new Error("unregistered without a client's half");
        const steps: Step[] = [{ half: "server", document: scheme.document(scheme.entryOf(client)) }];
        return { steps, says: "created: what an earlier run began" };
      }
      case "lost":
        throw new Refused(
          `${name}: its client's half is gone. \`rotate\` makes a new one and keeps the old login valid.`,
        );
      case "torn":
        throw new Refused(tornText(name));
      case "revoked":
        throw new Refused(revokedText(name));
      case "unshared":
        return nothing("there already; a rotation was cut off: run rotate again");
      default:
        return nothing("there already");
    }
  },

  rotate: (situation) => rotation(situation, (name, taken) => situation.scheme.fresh(name, taken)),

  move(situation) {
    const { name, scheme, halves, standing } = situation;
    const { client, server } = halves;
    if (scheme.type === "nkey")
      throw new Refused(`${name}: it has an NKey already; nats.clients.passwords does not name it.`);
    if (standing === "rotating" && server && scheme.current(server).user !== "") {
      throw new Refused(`${name}: the rotation of its password is not finished. Finish it first.`);
    }
    if (standing === "steady" && server && scheme.current(server).user === "") {
      return nothing("moved already: take it out of nats.clients.passwords");
    }
    if (!client)
      throw new Refused(`${name}: there is no client's half to move. Run create, or rotate where it is lost.`);
    return rotation(situation, () => moved(client as LoginDocument));
  },

  finish({ name, scheme, halves: { server }, standing }) {
    switch (standing) {
      case "rotating": {
        if (!server) throw new Error("rotating without a server's half");
        const steps: Step[] = [{ half: "server", document: scheme.document(scheme.current(server)) }];
        return { steps, says: "finished: the previous credential ends" };
      }
      case "steady":
        return nothing("nothing to finish");
      case "unshared":
        throw new Refused(
          `${name}: clients still have the previous credential, a rotation was cut off. Run rotate again.`,
        );
      case "torn":
        throw new Refused(tornText(name));
      default:
        throw new Refused(`${name}: there is no rotation to finish (${standing}).`);
    }
  },

  revoke({ name, scheme, halves, standing }) {
    if (standing === "missing") throw new Refused(`${name}: there is nothing to revoke.`);
    return replacement(name, scheme, halves);
  },

  withdraw({ name, scheme, standing }) {
    if (standing === "missing") throw new Refused(`${name}: there is nothing to revoke.`);
    return standing === "revoked" ? nothing("revoked already") : withdrawal(scheme);
  },
};

/** The server's half first: a client that came with the new credential before a server knows it would be turned away. */
function rotation(
  { name, scheme, halves: { server }, standing }: Situation,
  make: (name: string, taken: string) => Fresh,
): Transition {
  switch (standing) {
    case "missing":
    case "unregistered":
      throw new Refused(`${name}: there is nothing to rotate. Run create first.`);
    case "torn":
      throw new Refused(tornText(name));
    case "revoked":
      throw new Refused(revokedText(name));
    case "rotating":
      return nothing("rotated already: both credentials are valid");
    default: {
      if (!server) throw new Error(`${standing} without a server's half`);
      const previous = scheme.previous(server);
      if (standing === "lost" && previous) {
        throw new Refused(
          `${name}: two credentials are valid and the client's half is gone, so nobody knows which is used. \`revoke\` ends both.`,
        );
      }
      // Cut off earlier, the credential that was never handed out is replaced, and the one that clients have is kept.
      const kept = previous ?? scheme.current(server);
      const fresh = make(name, kept.user);
      const steps: Step[] = [
        { half: "server", document: scheme.document(fresh.entry, kept) },
        { half: "client", document: fresh.client, afterServers: true },
      ];
      return { steps, says: "rotated: both credentials are valid" };
    }
  }
}

/** The client's half stays as it is: it opens nothing. */
export const withdrawal = (scheme: Scheme): Transition => ({
  steps: [{ half: "server", document: scheme.nobody }],
  says: "revoked: every credential ends",
});

/**
 * A new credential in place of whatever there is, readable or not. The server's half first: the door is shut before anything
 * else, and the client is locked out until it has its new half.
 * @param halves those that can be read: what has moved to an NKey gets an NKey
 */
export function replacement(name: string, scheme: Scheme, halves: Halves): Transition {
  const fresh = scheme.fresh(name, hasKey(scheme, halves) ? "" : undefined);
  const steps: Step[] = [
    { half: "server", document: scheme.document(fresh.entry) },
    { half: "client", document: fresh.client },
  ];
  return { steps, says: "revoked: earlier credentials end. Restart its clients with the new one" };
}

/** What its client has decides: of a move that was cut off it knows nothing yet. */
function hasKey(scheme: Scheme, { server, client }: Halves): boolean {
  if (client) return client.seed !== "";
  if (!server) return false;
  const { user, key } = scheme.current(server);
  return user === "" && key !== "";
}

const revokedText = (name: string): string =>
  `${name}: it is revoked, nobody logs in as it. \`revoke\` without --without-new gives it a new credential.`;

const tornText = (name: string): string =>
  `${name}: the client has a credential that no server knows (a revoke was cut off, or two people wrote at once). ` +
  "`revoke` replaces both halves.";
