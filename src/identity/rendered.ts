/** The Secrets of an environment as files, where no External Secrets makes them: the same bytes as its templates give. */
import { renderClient } from "../clients/files.ts";
import { clientSecret, NATS, TILE38 } from "../kubernetes/names.ts";
import { clientNamespace } from "../kubernetes/secrets.ts";
import { identities } from "../model/identity.ts";
import type { Model } from "../model/resolve.ts";
import { type AuthDocument, renderAuth } from "../nats/auth-template.ts";
import { followerConfig, leaderConfig } from "../tile38/server-config.ts";
import { schemes } from "./credential.ts";
import type { DocumentType, DocumentTypes } from "./documents.ts";
import { documentIds, holders, Impossible, readDocument } from "./keeper.ts";
import type { SecretStore } from "./store.ts";

/** A Secret by its files. */
export interface RenderedSecret {
  readonly name: string;
  /** Where it is mounted. Tools and people run outside the cluster: theirs is mounted nowhere. */
  readonly namespace?: string;
  readonly files: Readonly<Record<string, string>>;
}

/** What the servers mount, and what each client needs. @throws BrokenDocument; StoreFailure; Error for a missing document */
export async function renderSecrets(model: Model, store: SecretStore): Promise<readonly RenderedSecret[]> {
  const { environment } = model;
  const who = new Map(holders(model).map((holder) => [holder.name, holder]));
  const half = async <T extends DocumentType>(type: T, name: string, side: "server" | "client") => {
    const holder = who.get(name);
    const id = holder && documentIds(environment, holder)[side];
    const document = id && (await readDocument(type, id, store));
    if (!document) throw new Impossible(`there is no document for ${name}: run create`);
    return document as DocumentTypes[T];
  };

  if (environment.nats.tls) {
    throw new Impossible(
      "nats.tls is on, so clients need the authority's certificate, which is in the cluster: a secret store hands it on. " +
        'Set secrets.store to "gcp-secret-manager", or nats.tls to false.',
    );
  }

  const auth: Record<string, AuthDocument> = {};
  for (const { name, credential } of identities(model)) auth[name] = { ...(await half(credential, name, "server")) };
  const tile38 = await half("tile38", "tile38-password", "server");
  const clients = await Promise.all(
    identities(model).map(async (identity) => ({
      name: clientSecret(identity.name),
      ...(identity.kind === "service" ? { namespace: clientNamespace(identity.name, model) } : {}),
      files: renderClient(identity, model, {
        ...(await half(schemes[identity.credential].clientType, identity.name, "client")),
        tile38_password: tile38.password,
      }),
    })),
  );
  const { namespace } = environment.kubernetes;
  return [
    { name: NATS.authSecret, namespace, files: { "auth.conf": renderAuth(model, auth) } },
    ...(environment.nats.encryption === "none"
      ? []
      : [
          {
            name: NATS.encryptionSecret,
            namespace,
            files: { ...(await half("encryption", "encryption-key", "server")) },
          },
        ]),
    { name: TILE38.leaderSecret, namespace, files: { config: JSON.stringify(leaderConfig(model, tile38.password)) } },
    ...(environment.tile38.followers.count > 0
      ? [
          {
            name: TILE38.followersSecret,
            namespace,
            files: { config: JSON.stringify(followerConfig(model, tile38.password)) },
          },
        ]
      : []),
    ...clients,
  ];
}
