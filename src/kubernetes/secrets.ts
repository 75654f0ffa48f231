/** The Secrets that the servers mount. They are made from documents of the secret store or, in development, sent by kubectl. */
import type { Model } from "../model/resolve.ts";
import { DOCUMENTS, NATS, TILE38 } from "./names.ts";

interface ServerSecret {
  readonly name: string;
  readonly needed: (model: Model) => boolean;
}

const SECRETS: readonly ServerSecret[] = [
  { name: NATS.authSecret, needed: () => true },
  { name: NATS.encryptionSecret, needed: ({ environment }) => environment.nats.encryption !== "none" },
  { name: TILE38.leaderSecret, needed: () => true },
  { name: TILE38.followersSecret, needed: ({ environment }) => environment.tile38.followers.count > 0 },
];

/** Names of the Secrets that an environment's pods mount, those of cert-manager aside. */
export const mountedSecrets = (model: Model): readonly string[] =>
  SECRETS.filter(({ needed }) => needed(model)).map(({ name }) => name);

/** Documents that the cluster itself hands to the secret store, by PushSecrets of the same names. */
export const pushedDocuments = ({ environment: { nats }, services }: Model): readonly string[] => [
  ...(nats.tls ? [DOCUMENTS.trust] : []),
  ...(nats.tls && nats.clients.certificates ? services.map(({ name }) => DOCUMENTS.certificate(name)) : []),
];

/** Where the Secret of a service is put: the namespace that its pods run in. */
export const clientNamespace = (service: string, { services, environment }: Model): string =>
  services.find(({ name }) => name === service)?.namespace ?? environment.kubernetes.clientNamespace;
