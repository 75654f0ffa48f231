/** What each kind of secret looks like, wherever it stands. */
export const SECRETS: Readonly<Record<string, RegExp>> = {
  "seed of an NKey": /\bS[UAONCX][A-Z2-7]{56}\b/,
  "private key": /-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/]{20}/,
  "credentials file": /-----BEGIN (NATS USER JWT|USER NKEY SEED)-----\s+\w{20}/,
  "bcrypt hash": /\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}(?![./A-Za-z0-9])/,
  "key of a cloud account": /"private_key(_id)?":\s*"[^"]{20}/,
};

/** Where a password would be one that servers really take: what is applied, and what it is made of. */
const APPLIED = /^(dist|environments|streams)\//;
const PASSWORD =
  /\b(requirepass|leaderauth|password|passwd|token|secret)\\?["']?[ \t]*[:=][ \t]*\\?["']?(?!\{\{)[^\s"'{},|[]{6,}/i;

/** Kinds of what `text` of `file` holds. */
export const found = (file: string, text: string): string[] => [
  ...Object.keys(SECRETS).filter((kind) => SECRETS[kind]?.test(text)),
  ...(APPLIED.test(file) && PASSWORD.test(text) ? ["password"] : []),
];
