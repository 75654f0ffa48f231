/** The Secrets that the servers mount. They are made from documents of the secret store or, in development, sent by kubectl. */
import type { Model } from "../model/resolve.ts";
import { NATS, TILE38 } from "./names.ts";

interface ServerSecret {
  /** Of the Secret. */
  readonly name: string;
  /** Key inside the Secret, which is the file's name in the pod. */
  readonly file: string;
  readonly needed: (model: Model) => boolean;
}

export const SECRETS: readonly ServerSecret[] = [
  { name: NATS.authSecret, file: "auth.conf", needed: () => true },
  { name: TILE38.leaderSecret, file: "config", needed: () => true },
  {
    name: TILE38.followersSecret,
    file: "config",
    needed: ({ environment }) => environment.tile38.followers.count > 0,
  },
];
