/** An auth file with the exports and imports by which CIRCL hears of logins, and three users who may do everything. */
const EVENTS = [
  ["$SYS.ACCOUNT.CIRCL.CONNECT", "circl.audit.connect.CIRCL"],
  ["$SYS.ACCOUNT.CIRCL.DISCONNECT", "circl.audit.disconnect.CIRCL"],
  ["$SYS.ACCOUNT.SYS.CONNECT", "circl.audit.connect.SYS"],
  ["$SYS.ACCOUNT.SYS.DISCONNECT", "circl.audit.disconnect.SYS"],
  ["$SYS.SERVER.*.CLIENT.AUTH.ERR", "circl.audit.refused.*"],
] as const;

const users = (...names: readonly string[]): string =>
  `users: [ ${names.map((name) => `{ user: "${name}", password: "loopback-only" }`).join(", ")} ]`;

export const AUDITED_AUTH = `accounts {
  SYS {
    ${users("sys")}
    exports: [ ${EVENTS.map(([subject]) => `{ stream: "${subject}", accounts: ["CIRCL"] }`).join(", ")} ]
  }
  CIRCL {
    jetstream: enabled
    ${users("sync", "alice", "bob")}
    imports: [ ${EVENTS.map(([subject, to]) => `{ stream: { account: "SYS", subject: "${subject}" }, to: "${to}" }`).join(", ")} ]
  }
}
`;
