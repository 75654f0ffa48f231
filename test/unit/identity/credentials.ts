/** Credentials of production, with oms on a password, and what can be done with them. */
import { schemes } from "../../../src/identity/credential.ts";
import { parseDocument } from "../../../src/identity/documents.ts";
import { carryOut, holders, prepare } from "../../../src/identity/keeper.ts";
import type { Action } from "../../../src/identity/rotation.ts";
import type { SecretStore } from "../../../src/identity/store.ts";
import { survey } from "../../../src/identity/survey.ts";
import { identities } from "../../../src/model/identity.ts";
import { modelWith } from "../../support/definitions.ts";

export const model = modelWith({ environment: { nats: { clients: { passwords: ["oms"] } } } });
export const { environment } = model;
export const serverId = (name: string) => `production-nats-identity-${name}`;
export const clientId = (name: string) => `production-nats-client-${name}`;
export const holderOf = (name: string) => {
  const holder = holders(model).find((one) => one.name === name);
  if (!holder) throw new Error(`no ${name}`);
  return holder;
};

/** auth.conf's documents, that of `name` as it is and a made-up one for everybody else. */
export const everybodyWith = (name: string, document: Record<string, string>) =>
  Object.fromEntries(
    identities(model).map((identity, i) => {
      const key = `U${String.fromCharCode(65 + i).repeat(55)}`;
      const hash = { currentUser: identity.name, current: `$2a$11$${"x".repeat(53)}`, previousUser: "", previous: "" };
      const made = identity.credential === "nkey" ? { current: key, previous: "" } : hash;
      return [identity.name, identity.name === name ? document : made];
    }),
  );

export async function run(action: Action, name: string, store: SecretStore): Promise<string | undefined> {
  const prepared = await prepare(action, model, [holderOf(name)], store);
  await carryOut(prepared, environment, store, async () => {});
  return prepared[0]?.says;
}

export const standing = async (name: string, store: SecretStore) =>
  (await survey(model, [holderOf(name)], store))[0]?.standing;

/** Whether what the client has opens one of the entries that servers know. */
export function canLogIn(name: string, client: string | undefined, server: string | undefined): boolean {
  const { credential } = holderOf(name);
  if (credential !== "nkey" && credential !== "password") throw new Error(`${name} does not log in`);
  const scheme = schemes[credential];
  if (!client || !server) return false;
  const half = parseDocument(scheme.clientType, "client", client);
  const known = parseDocument(scheme.type, "server", server);
  return [scheme.current(known), scheme.previous(known)].some((entry) => entry && scheme.opens(half, entry));
}
