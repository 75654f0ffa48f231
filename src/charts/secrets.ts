import { k8s } from "cdk8s-plus-28";
import type { Construct } from "constructs";
import { externalSecret, secretStore } from "../kubernetes/external-secret.ts";
import { SECRET_READER, SECRET_STORE, storeKey } from "../kubernetes/names.ts";
import { SECRETS } from "../kubernetes/secrets.ts";
import type { Model } from "../model/resolve.ts";
import { SECOND } from "../units.ts";
import { BackboneChart } from "./backbone-chart.ts";

/** What is secret, fetched from GCP Secret Manager; with store "kubectl" the same Secrets are made by hand. */
export function secretsChart(scope: Construct, model: Model): void {
  const { secrets } = model.environment;
  if (secrets.store !== "gcp-secret-manager") return;
  const chart = new BackboneChart(scope, "20-secrets", model);
  new k8s.KubeServiceAccount(chart, "reader", {
    metadata: { name: SECRET_READER },
    automountServiceAccountToken: false,
  });
  secretStore(chart, "store", {
    name: SECRET_STORE,
    spec: {
      provider: {
        gcpsm: {
          projectID: secrets.project,
          auth: {
            workloadIdentity: {
              clusterLocation: secrets.cluster.location,
              clusterName: secrets.cluster.name,
              clusterProjectID: secrets.project,
              serviceAccountRef: { name: SECRET_READER },
            },
          },
        },
      },
    },
  });
  for (const { name, file, needed } of SECRETS) {
    if (!needed(model)) continue;
    externalSecret(chart, name, {
      name,
      spec: {
        refreshPolicy: "Periodic",
        refreshInterval: `${secrets.refresh / SECOND}s`,
        secretStoreRef: { kind: "SecretStore", name: SECRET_STORE },
        target: { name, creationPolicy: "Owner", deletionPolicy: "Retain" },
        data: [{ secretKey: file, remoteRef: { key: storeKey(model.environment, name) } }],
      },
    });
  }
}
