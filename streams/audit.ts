import { defineStream, SERVER } from "../src/model/stream.ts";

/** What the servers know about whoever connects. */
const connections = {
  sensitivity: "personal",
  purpose: "know who logged in or changed something from where, and who tried",
  fields: ["client.host", "client.user", "client.nkey", "client.name"],
  keepAtMost: "30d",
} as const;

/**
 * Who changed which stream or consumer, and what the servers noticed: in their own words. Requests for messages are in none of it
 * (seen on 2.12, 2.14 and 2.15), requests for information are.
 */
const circlAudit = defineStream({
  name: "circl_audit",
  description: "JetStream advisories (API audit, deliveries given up, leaders, quorum)",
  subjects: ["$JS.EVENT.ADVISORY.>"],
  retention: "limits",
  storage: "file",
  discard: "old",
  replicas: 3,
  maxMsgs: 1_000_000,
  // The API audit is one subject. A report takes 2.5 KB (test/cli/audit.test.ts); not for ever longer ones, as it repeats the request.
  maxMsgsPerSubject: 150_000,
  maxBytes: "512MiB",
  maxAge: "30d",
  maxMsgSize: "1MiB",
  // `circl audit` reads without a consumer, and without a trace in what it reads.
  allowDirect: true,
  // Whoever may ask for information fills the API audit, and its oldest reports go: at this rate after four hours in production
  // and one in staging. So somebody is called before. Ordinary work is far below it. That a stream or consumer was changed is an
  // advisory of its own subject as well, without who it was: no flood of questions reaches that.
  alerts: { publishRate: "10/s" },
  in: { staging: { maxBytes: "128MiB", maxMsgsPerSubject: 40_000, replicas: 1 } },
  publishers: [{ service: SERVER, subject: "$JS.EVENT.ADVISORY.>", data: connections }],
});

/**
 * Who logged in and out. A stream of its own: a client may call itself anything and come back for ever, and with the changes in one
 * stream its reports pushed those out (test/live/audit-flood.test.ts).
 */
const circlAuditLogins = defineStream({
  name: "circl_audit_logins",
  description: "Logins and logouts",
  // Events of the account SYS, which auth.conf imports under these names.
  subjects: ["circl.audit.connect.*", "circl.audit.disconnect.*"],
  retention: "limits",
  storage: "file",
  discard: "old",
  replicas: 3,
  maxMsgs: 600_000,
  // One subject an account and direction (src/nats/auth-audit.ts): no account pushes out the logins of another. A report takes 0.8 KB,
  // and 5 KB at most, as the client's own line does: one account that floods with the longest of names leaves the others theirs.
  maxMsgsPerSubject: 20_000,
  maxBytes: "512MiB",
  maxAge: "30d",
  maxMsgSize: "64KiB",
  allowDirect: true,
  // A rollout, in which all thousand connections come back three times, stays below it.
  alerts: { publishRate: "10/s" },
  in: { staging: { maxBytes: "128MiB", maxMsgsPerSubject: 4_000, replicas: 1 } },
  publishers: [
    { service: SERVER, subject: "circl.audit.connect.*", data: connections },
    { service: SERVER, subject: "circl.audit.disconnect.*", data: connections },
  ],
});

/**
 * Who was not let in. A stream of its own: its last sequence counts the attempts for Prometheus, which no metric of the server
 * does, and a wrong password in a loop leaves the rest of the audit alone.
 */
const circlAuditRefused = defineStream({
  name: "circl_audit_refused",
  description: "Refused logins; the last sequence counts them",
  subjects: ["circl.audit.refused.*"],
  retention: "limits",
  storage: "file",
  discard: "old",
  replicas: 3,
  maxMsgs: 50_000,
  maxBytes: "64MiB",
  maxAge: "30d",
  maxMsgSize: "64KiB",
  allowDirect: true,
  in: { staging: { maxMsgs: 10_000, maxBytes: "16MiB", replicas: 1 } },
  publishers: [{ service: SERVER, subject: "circl.audit.refused.*", data: connections }],
});

export const streams = [circlAudit, circlAuditLogins, circlAuditRefused];
