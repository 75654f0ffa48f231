/** Where the servers' reports come in the account CIRCL, and which stream keeps them. */
import { isCaptured } from "./capture.ts";
import type { Model } from "./resolve.ts";
import type { Stream } from "./stream.ts";

/** JetStream's report of every request. */
export const API_AUDIT = "$JS.EVENT.ADVISORY.API";
/** Logins that were refused, as auth.conf imports them from SYS. The last token is the server's id. */
export const REFUSALS = "circl.audit.refused.*";

/** The stream that keeps messages on `subject`; undefined where none is defined. */
export const keeperOf = (subject: string, { streams }: Pick<Model, "streams">): Stream | undefined =>
  streams.find(({ subjects }) => isCaptured(subject, subjects));
