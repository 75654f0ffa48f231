/** One environment as dist says it, on a real control plane, with its streams, and with clients in a pod of their own. */
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll } from "vitest";
import { environments } from "../../../environments/index.ts";
import { buildApp, writeApp } from "../../../src/app.ts";
import { connectionOptions } from "../../../src/connect/nats.ts";
import { DOCUMENTS, NATS, SERVICE_LABEL, storeKey } from "../../../src/kubernetes/names.ts";
import type { EnvironmentInput } from "../../../src/model/environment.ts";
import { type Definitions, type Model, resolveModel } from "../../../src/model/resolve.ts";
import type { Nodes } from "../../../src/proof/agent/nodes.ts";
import type { MakeDisk } from "../../../src/proof/disks.ts";
import type { Kubectl } from "../../../src/proof/kubectl.ts";
import { type Clients, startClients } from "../../../src/proof/load/clients.ts";
import { startTogether } from "../../../src/proof/parts.ts";
import { addressesOf, natsTarget } from "../../../src/proof/reach.ts";
import { applyStreams } from "../../../src/proof/smoke.ts";
import { policy } from "../../../src/rules/changes.ts";
import { eventually } from "../../support/control-plane.ts";
import { realDefinitions } from "../../support/definitions.ts";
import { type Booted, bootModel } from "../../support/environment.ts";

export interface Site extends Booted {
  readonly kubectl: Kubectl;
  readonly nodes: Nodes;
  /** In a pod with the label of the first of `SERVICES` and the Secrets of all. */
  readonly clients: Clients;
  /** Lets kubectl bring the cluster to another model; `ready` tells when it is there. */
  readonly apply: (model: Model) => Promise<void>;
  /** Brings the streams to what another model says, whatever that loses. */
  readonly applyStreams: (model: Model) => Promise<void>;
  /** Waits until every StatefulSet is as it should be. */
  readonly ready: () => Promise<void>;
  readonly tile38Password: string;
  /** Connects as an identity from the machine that probes the pods, to one server. */
  readonly connect: (identity: string, pod?: string) => Promise<NatsConnection>;
}

/** The model of a real environment with something laid over it. @throws if the definitions have faults then */
export function changedModel(
  name: "staging" | "production",
  environment: EnvironmentInput,
  streams: Definitions["streams"] = {},
): Model {
  const { model, faults } = resolveModel(name, {
    ...realDefinitions,
    environments: { ...environments, [name]: [...environments[name], environment] },
    streams: { ...realDefinitions.streams, ...streams },
  });
  if (!model) throw new Error(faults.map(({ place, says }) => `${place} ${says}`).join("\n"));
  return model;
}

/** Services whose credentials the clients have. */
export const SERVICES = ["bff", "dms", "geo", "iot", "oms"];

export interface SiteOptions {
  readonly makeDisk?: MakeDisk;
  /** @default those that the model has of `SERVICES` */
  readonly services?: readonly string[];
}

/** One site for all tests of a file, opened before the first and closed after the last. */
export function useSite(model: Model, options: SiteOptions = {}): () => Site {
  let opened: Site | undefined;
  beforeAll(async () => {
    opened = await openSite(model, options);
  });
  afterAll(async () => {
    await opened?.[Symbol.asyncDispose]();
  });
  return () => {
    if (!opened) throw new Error("there is no site");
    return opened;
  };
}

/** Boots what dist would say of `model`, and applies its streams. @throws what a part of it says; nothing is left then */
export const openSite = (model: Model, { makeDisk, services }: SiteOptions = {}): Promise<Site> =>
  startTogether(async (parts) => {
    const log = (line: string) => console.log(line);
    const subject = parts.use(await bootModel(model, (folder) => manifestsOf(model, folder), { makeDisk, log }));
    const { booted, documents, folder, root } = subject;
    const { plane, nodes, ready } = booted;
    const { environment } = model;
    await ready();
    await applyStreams(subject, policy);
    const present = SERVICES.filter((name) => model.services.some((service) => service.name === name));
    const clients = await startClients(booted, model, root, services ?? present);
    const tile38 = await documents.read(storeKey(environment, DOCUMENTS.tile38));
    return {
      ...subject,
      kubectl: plane.kubectl,
      nodes,
      clients,
      ready,
      tile38Password: JSON.parse(tile38 ?? "{}").password,
      apply: async (next) => {
        const manifests = manifestsOf(next, folder);
        await plane.kubectl(["apply", "--server-side", "--force-conflicts", "--filename", manifests]);
        await booted.refreshSecrets();
      },
      applyStreams: async (next) => {
        await applyStreams({ ...subject, model: next }, policy);
      },
      connect: async (identity, pod = `${NATS.name}-0`) => {
        const { namespace } = environment.kubernetes;
        // It may be the one that was just struck.
        await eventually(
          async () => addressesOf(nodes.pods(), { "statefulset.kubernetes.io/pod-name": pod }),
          (addresses) => addresses.length === 1,
          `${pod} to be ready for ${identity}`,
        );
        const target = await natsTarget(model, [nodes.pod(namespace, pod)], documents, identity, folder);
        return connect({ ...connectionOptions(target), maxReconnectAttempts: -1 });
      },
    };
  });

function manifestsOf(model: Model, folder: string): string {
  const manifests = mkdtempSync(join(folder, "dist-"));
  writeApp(buildApp(model, manifests));
  return manifests;
}

/** A pod that does nothing. @param service whose label it carries; nobody's where it is empty */
export const clientPod = (namespace: string, name: string, service: string) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace, labels: service === "" ? {} : { [SERVICE_LABEL]: service } },
  spec: {
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 0,
    containers: [{ name: "client", image: "docker.io/busybox:1.36", command: ["sleep", "infinity"] }],
  },
});
