import type { Construct } from "constructs";
import { clientSources, clientTemplate } from "../clients/files.ts";
import { clientSecret } from "../kubernetes/names.ts";
import { clientNamespace } from "../kubernetes/secrets.ts";
import { identities } from "../model/identity.ts";
import type { Model } from "../model/resolve.ts";
import { BackboneChart } from "./backbone-chart.ts";
import { secretFiles, storeAccess } from "./external-secrets.ts";

/**
 * The Secret of every service, in the namespace that it runs in. A file of its own, and the last: those namespaces are not
 * ours, and whoever applies the backbone may have no say in them.
 */
export function clientsChart(scope: Construct, model: Model): void {
  const { secrets } = model.environment;
  if (secrets.store !== "gcp-secret-manager" || model.services.length === 0) return;
  const chart = new BackboneChart(scope, "60-clients", model, { clusterScoped: true });
  const clients = identities(model).filter(({ kind }) => kind === "service");
  for (const namespace of [...new Set(clients.map(({ name }) => clientNamespace(name, model)))].sort()) {
    storeAccess(chart, namespace, { secrets, namespace });
  }
  for (const identity of clients) {
    secretFiles(chart, identity.name, {
      secrets,
      name: clientSecret(identity.name),
      namespace: clientNamespace(identity.name, model),
      files: clientTemplate(identity, model),
      values: clientSources(identity, model),
    });
  }
}
