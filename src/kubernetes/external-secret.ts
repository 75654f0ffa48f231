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
    /** text/template with sprig; a key that no entry of `data` gives is an error, and the Secret stays as it was. */
    readonly template: {
      readonly engineVersion: "v2";
      /** Replace: nothing but these files; Merge would put the store's values beside them. */
      readonly mergePolicy: "Replace";
      readonly type: "Opaque";
      readonly data: Readonly<Record<string, string>>;
    };
  };
  /** What the template may name, each fetched by itself. */
  readonly data: readonly StoreValue[];
}

export interface StoreValue {
  /** Without "-", which a template could not name. */
  readonly secretKey: string;
  /** `property` of a JSON document; without it, all of it. */
  readonly remoteRef: { readonly key: string; readonly property?: string };
}

/** Hands a part of a Secret to the store. Its kind is still v1alpha1. */
export interface PushSecretSpec {
  readonly refreshInterval: string;
  readonly updatePolicy: "Replace";
  readonly deletionPolicy: "None";
  readonly secretStoreRefs: readonly { readonly kind: "SecretStore"; readonly name: string }[];
  readonly selector: { readonly secret: { readonly name: string } };
  readonly data: readonly {
    /** Without a key the whole Secret is sent, as one JSON object. */
    readonly match: { readonly secretKey?: string; readonly remoteRef: { readonly remoteKey: string } };
  }[];
}

export const secretStore = customResource<SecretStoreSpec>({
  apiVersion: "external-secrets.io/v1",
  kind: "SecretStore",
});
export const externalSecret = customResource<ExternalSecretSpec>({
  apiVersion: "external-secrets.io/v1",
  kind: "ExternalSecret",
});
export const pushSecret = customResource<PushSecretSpec>({
  apiVersion: "external-secrets.io/v1alpha1",
  kind: "PushSecret",
});
