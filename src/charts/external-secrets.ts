/** ExternalSecrets and the store that they read, as every namespace has them. */
import { k8s } from "cdk8s-plus-28";
import type { Construct } from "constructs";
import { externalSecret, type StoreValue, secretStore } from "../kubernetes/external-secret.ts";
import { SECRET_READER, SECRET_STORE } from "../kubernetes/names.ts";
import type { Environment } from "../model/environment.ts";
import { SECOND } from "../units.ts";

export type GcpSecrets = Extract<Environment["secrets"], { store: "gcp-secret-manager" }>;

interface StoreProps {
  readonly secrets: GcpSecrets;
  /** @default the chart's */
  readonly namespace?: string;
  /** @default the ones that read */
  readonly store?: string;
  readonly account?: string;
}

/** A store that is reached with Workload Identity, and the ServiceAccount that it is reached as. */
export function storeAccess(scope: Construct, id: string, props: StoreProps): void {
  const { secrets, namespace, store = SECRET_STORE, account = SECRET_READER } = props;
  new k8s.KubeServiceAccount(scope, `${id}-account`, {
    metadata: { name: account, ...(namespace ? { namespace } : {}) },
    automountServiceAccountToken: false,
  });
  secretStore(scope, `${id}-store`, {
    name: store,
    ...(namespace ? { namespace } : {}),
    spec: {
      provider: {
        gcpsm: {
          projectID: secrets.project,
          auth: {
            workloadIdentity: {
              clusterLocation: secrets.cluster.location,
              clusterName: secrets.cluster.name,
              clusterProjectID: secrets.project,
              serviceAccountRef: { name: account },
            },
          },
        },
      },
    },
  });
}

interface FilesProps {
  readonly secrets: GcpSecrets;
  readonly name: string;
  readonly namespace?: string;
  /** Templates by file. */
  readonly files: Readonly<Record<string, string>>;
  readonly values: readonly StoreValue[];
}

/** A Secret of rendered files. */
export const secretFiles = (scope: Construct, id: string, props: FilesProps): void => {
  const { secrets, name, namespace, files, values } = props;
  externalSecret(scope, id, {
    name,
    ...(namespace ? { namespace } : {}),
    spec: {
      refreshPolicy: "Periodic",
      refreshInterval: refreshInterval(secrets),
      secretStoreRef: { kind: "SecretStore", name: SECRET_STORE },
      target: {
        name,
        creationPolicy: "Owner",
        deletionPolicy: "Retain",
        template: { engineVersion: "v2", mergePolicy: "Replace", type: "Opaque", data: files },
      },
      data: values,
    },
  });
};

export const refreshInterval = ({ refresh }: GcpSecrets): string => `${refresh / SECOND}s`;
