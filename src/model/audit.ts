/** Where the servers' reports come in the account CIRCL, and which stream keeps them. */
import { isCaptured } from "./capture.ts";
import type { Model } from "./resolve.ts";
import type { Stream } from "./stream.ts";

/** JetStream's report of every request. */
export const API_AUDIT = "$JS.EVENT.ADVISORY.API";
/** Where the server's own events about logins and refusals come in the account CIRCL: auth.conf imports them from SYS. */
export const AUDIT_PREFIX = "circl.audit";
/** Logins of an account. The last token is its name. */
const LOGINS = `${AUDIT_PREFIX}.connect.*`;
/** Logins that were refused. The last token is the server's id. */
export const REFUSALS = `${AUDIT_PREFIX}.refused.*`;

/** The streams that whoever looks into an incident reads; `circl audit` reads those of changes and refusals. */
export const auditStreams = (model: Pick<Model, "streams">): readonly Stream[] => [
  ...new Set([API_AUDIT, LOGINS, REFUSALS].flatMap((subject) => keeperOf(subject, model) ?? [])),
];

/** The stream that keeps messages on `subject`; undefined where none is defined. */
export const keeperOf = (subject: string, { streams }: Pick<Model, "streams">): Stream | undefined =>
  streams.find(({ subjects }) => isCaptured(subject, subjects));
