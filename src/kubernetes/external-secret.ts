/** External Secrets (external-secrets.io/v1; v1beta1 is no longer served), the fields we use: those present since v1.0. */
import { customResource } from "./custom-resource.ts";

export interface SecretStoreSpec {
  readonly provider: {
    readonly gcpsm: {
      readonly projectID: string;
      readonly auth: {
        readonly workloadIdentity: {
          readonly clusterLocation: string;
          readonly clusterName: string;
          readonly clusterProjectID: string;
          readonly serviceAccountRef: { readonly name: string };
        };
      };
    };
  };
}

export interface ExternalSecretSpec {
  readonly refreshPolicy: "Periodic";
  /** Go duration. */
  readonly refreshInterval: string;
  readonly secretStoreRef: { readonly kind: "SecretStore"; readonly name: string };
  readonly target: {
    readonly name: string;
    readonly creationPolicy: "Owner";
    /** Retain: a document lost in the store must never empty what the servers run with. */
    readonly deletionPolicy: "Retain";
  };
  readonly data: readonly { readonly secretKey: string; readonly remoteRef: { readonly key: string } }[];
}

export const secretStore = customResource<SecretStoreSpec>({
  apiVersion: "external-secrets.io/v1",
  kind: "SecretStore",
});
export const externalSecret = customResource<ExternalSecretSpec>({
  apiVersion: "external-secrets.io/v1",
  kind: "ExternalSecret",
});
