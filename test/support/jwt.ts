/** Operator, account and user as JWTs, for a server whose users come with credentials files (ADR-14 of NATS). */
import { createAccount, createOperator, createUser, type KeyPair } from "nkeys.js";

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

function signed(issuer: KeyPair, subject: KeyPair, name: string, nats: object): string {
  const claims = { jti: name, iat: Math.floor(Date.now() / 1_000), iss: issuer.getPublicKey(), name };
  const document = `${encoded({ typ: "JWT", alg: "ed25519-nkey" })}.${encoded({ ...claims, sub: subject.getPublicKey(), nats })}`;
  return `${document}.${Buffer.from(issuer.sign(new TextEncoder().encode(document))).toString("base64url")}`;
}

const OPEN = { subs: -1, data: -1, payload: -1 };
const LIMITS = { ...OPEN, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
const STORES = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };

/** An auth file that trusts one operator, and the credentials of a user who may do everything in its account. */
export function operatorMode(): { readonly auth: string; readonly creds: string } {
  const [operator, system, account, user] = [createOperator(), createAccount(), createAccount(), createUser()];
  const ofType = (type: string, rest: object = {}) => ({ type, version: 2, ...rest });
  const seed = new TextDecoder().decode(user.getSeed());
  return {
    auth: `operator: ${signed(operator, operator, "operator", ofType("operator"))}
SYSTEM_ACCOUNT: ${system.getPublicKey()}
resolver: MEMORY
resolver_preload: {
  ${system.getPublicKey()}: ${signed(operator, system, "SYS", ofType("account", { limits: LIMITS }))}
  ${account.getPublicKey()}: ${signed(operator, account, "CIRCL", ofType("account", { limits: { ...LIMITS, ...STORES } }))}
}
`,
    creds: `-----BEGIN NATS USER JWT-----
${signed(account, user, "sync", ofType("user", OPEN))}
------END NATS USER JWT------

-----BEGIN USER NKEY SEED-----
${seed}
------END USER NKEY SEED------
`,
  };
}
