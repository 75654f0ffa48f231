import type { Construct } from "constructs";
import { pushSecret, type StoreValue } from "../kubernetes/external-secret.ts";
import {
  clientCertificate,
  DOCUMENTS,
  NATS,
  storeKey,
  TILE38,
  TRUST_STORE,
  TRUST_WRITER,
} from "../kubernetes/names.ts";
import { identities } from "../model/identity.ts";
import type { Model } from "../model/resolve.ts";
import { authProperties, authTemplate, templateKey } from "../nats/auth-template.ts";
import { followerTemplate, leaderTemplate, PASSWORD_KEY } from "../tile38/config-template.ts";
import { BackboneChart } from "./backbone-chart.ts";
import { type GcpSecrets, refreshInterval, secretFiles, storeAccess } from "./external-secrets.ts";

/** What the servers keep secret, made from documents in GCP Secret Manager; with store "kubectl" the same Secrets are sent. */
export function secretsChart(scope: Construct, model: Model): void {
  const { environment } = model;
  const { secrets } = environment;
  if (secrets.store !== "gcp-secret-manager") return;
  const chart = new BackboneChart(scope, "20-secrets", model);
  storeAccess(chart, "reader", { secrets });
  secretFiles(chart, NATS.authSecret, {
    secrets,
    name: NATS.authSecret,
    files: { "auth.conf": authTemplate(model) },
    values: authValues(model),
  });
  if (environment.nats.encryption !== "none") encryptionKeys(chart, model, secrets);
  const password: StoreValue = {
    secretKey: PASSWORD_KEY,
    remoteRef: { key: storeKey(environment, DOCUMENTS.tile38), property: "password" },
  };
  const tile38 = (name: string, config: string): void =>
    secretFiles(chart, name, { secrets, name, files: { config }, values: [password] });
  tile38(TILE38.leaderSecret, leaderTemplate(model));
  if (environment.tile38.followers.count > 0) tile38(TILE38.followersSecret, followerTemplate(model));
  if (environment.nats.tls) {
    // cert-manager makes the authority in here; clients elsewhere get its certificate by way of the store.
    storeAccess(chart, "trust", { secrets, store: TRUST_STORE, account: TRUST_WRITER });
    const push = (id: string, document: string, secret: string, secretKey?: string) =>
      pushSecret(chart, id, {
        name: document,
        spec: {
          refreshInterval: refreshInterval(secrets),
          updatePolicy: "Replace",
          deletionPolicy: "None",
          secretStoreRefs: [{ kind: "SecretStore", name: TRUST_STORE }],
          selector: { secret: { name: secret } },
          data: [
            {
              match: { ...(secretKey ? { secretKey } : {}), remoteRef: { remoteKey: storeKey(environment, document) } },
            },
          ],
        },
      });
    push("authority", DOCUMENTS.trust, NATS.serverCertificate, "ca.crt");
    // Certificate and key in one document, so that a client never has halves of two.
    for (const { name } of environment.nats.clients.certificates ? model.services : []) {
      push(`certificate-${name}`, DOCUMENTS.certificate(name), clientCertificate(name));
    }
  }
}

/** Both keys as files: `src/nats/encryption-script.ts` chooses. */
function encryptionKeys(chart: Construct, { environment }: Model, secrets: GcpSecrets): void {
  const keys = ["current", "previous"];
  secretFiles(chart, NATS.encryptionSecret, {
    secrets,
    name: NATS.encryptionSecret,
    files: Object.fromEntries(keys.map((key) => [key, `{{ .${key} }}`])),
    values: keys.map((property) => ({
      secretKey: property,
      remoteRef: { key: storeKey(environment, DOCUMENTS.encryption), property },
    })),
  });
}

/** What auth.conf names, from the document of each identity. */
const authValues = (model: Model): StoreValue[] =>
  identities(model).flatMap((identity) =>
    authProperties(identity).map((property) => ({
      secretKey: templateKey(identity, property),
      remoteRef: { key: storeKey(model.environment, DOCUMENTS.identity(identity.name)), property },
    })),
  );
