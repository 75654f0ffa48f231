/** The Secrets that the servers mount. They come from the secret store or, in development, from `kubectl create secret`. */
import type { Model } from "../model/resolve.ts";
import { NATS, TILE38 } from "./names.ts";

interface SecretDocument {
  /** Of the Secret; the document in the store is called `<environment>-<name>`. */
  readonly name: string;
  /** Key inside the Secret, which is the file's name in the pod. */
  readonly file: string;
  readonly needed: (model: Model) => boolean;
}

export const SECRETS: readonly SecretDocument[] = [
  { name: NATS.authSecret, file: "auth.conf", needed: () => true },
  { name: TILE38.leaderSecret, file: "config", needed: () => true },
  {
    name: TILE38.followersSecret,
    file: "config",
    needed: ({ environment }) => environment.tile38.followers.count > 0,
  },
];
