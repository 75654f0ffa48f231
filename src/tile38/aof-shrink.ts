/** Shrinks the leader's append-only file. The server never does that by itself (tidwall/tile38#792). */
import { k8s } from "cdk8s-plus-28";
import { Construct } from "constructs";
import { hardenedContainer, hardenedPod, imageReference, SECRET_MODE } from "../kubernetes/hardened.ts";
import { podLabels } from "../kubernetes/labels.ts";
import { PORTS, serviceHost, TILE38 } from "../kubernetes/names.ts";
import type { Model } from "../model/resolve.ts";
import { MiB } from "../units.ts";
import { SHRINK } from "./members.ts";
import { DOCUMENT_FILE, PATHS, SHRINK_FILE } from "./paths.ts";

/** A shrink writes what is alive, a few GiB at most. */
const SECONDS = 600;

export class AofShrink extends Construct {
  constructor(scope: Construct, id: string, { model }: { readonly model: Model }) {
    super(scope, id);
    new k8s.KubeServiceAccount(this, "service-account", {
      metadata: { name: TILE38.shrinkJob },
      automountServiceAccountToken: false,
    });
    new k8s.KubeCronJob(this, "job", {
      metadata: { name: TILE38.shrinkJob },
      spec: {
        schedule: model.environment.tile38.shrink.schedule,
        timeZone: "Etc/UTC",
        concurrencyPolicy: "Forbid",
        startingDeadlineSeconds: 300,
        successfulJobsHistoryLimit: 1,
        failedJobsHistoryLimit: 3,
        jobTemplate: {
          spec: {
            backoffLimit: 1,
            // Two attempts and the pause between them.
            activeDeadlineSeconds: 2 * SECONDS + 120,
            template: { metadata: { labels: podLabels(SHRINK) }, spec: shrinkPod(model) },
          },
        },
      },
    });
  }
}

function shrinkPod({ environment }: Model): k8s.PodSpec {
  const host = serviceHost(TILE38.writeService, environment);
  const { above } = environment.tile38.shrink;
  return hardenedPod({
    serviceAccountName: TILE38.shrinkJob,
    restartPolicy: "Never",
    containers: [
      hardenedContainer({
        name: "shrink",
        image: imageReference(environment, "tile38"),
        command: ["sh", SHRINK_FILE],
        args: [host, String(PORTS.tile38), DOCUMENT_FILE, String(above), String(SECONDS)],
        terminationMessagePolicy: "FallbackToLogsOnError",
        resources: { cpu: "10m", memory: 32 * MiB, ephemeralStorage: 16 * MiB },
        volumeMounts: [
          { name: "document", mountPath: PATHS.document, readOnly: true },
          { name: "scripts", mountPath: PATHS.scripts, readOnly: true },
        ],
      }),
    ],
    volumes: [
      { name: "document", secret: { secretName: TILE38.leaderSecret, defaultMode: SECRET_MODE } },
      { name: "scripts", configMap: { name: TILE38.scriptsConfigMap } },
    ],
  });
}
