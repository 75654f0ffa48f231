/** Objects of Kubernetes, as far as the node agent reads them. */

export interface KubeObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
    readonly deletionGracePeriodSeconds?: number;
  };
}

export interface Pod extends KubeObject {
  readonly metadata: KubeObject["metadata"] & { readonly namespace: string };
  readonly spec: PodSpec;
  readonly status: { readonly phase: string; readonly podIP?: string; readonly conditions?: readonly Condition[] };
}

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly lastTransitionTime?: string;
  readonly reason?: string;
  readonly message?: string;
}

export interface PodSpec {
  readonly nodeName?: string;
  readonly hostname?: string;
  readonly serviceAccountName?: string;
  readonly restartPolicy: "Always" | "OnFailure" | "Never";
  readonly shareProcessNamespace?: boolean;
  readonly terminationGracePeriodSeconds: number;
  readonly securityContext?: SecurityContext & { readonly fsGroup?: number };
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes?: readonly Volume[];
}

export interface SecurityContext {
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  readonly readOnlyRootFilesystem?: boolean;
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly workingDir?: string;
  readonly env?: readonly EnvVar[];
  /** Of an init container: "Always" makes it a sidecar. */
  readonly restartPolicy?: "Always";
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
  readonly securityContext?: SecurityContext;
  readonly volumeMounts?: readonly VolumeMount[];
  readonly lifecycle?: { readonly preStop?: { readonly exec?: ExecAction } };
  readonly startupProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
}

export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly readOnly?: boolean;
  readonly subPath?: string;
}

export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly fieldRef?: { readonly fieldPath: string };
    readonly secretKeyRef?: KeyRef;
    readonly configMapKeyRef?: KeyRef;
  };
}
interface KeyRef {
  readonly name: string;
  readonly key: string;
  readonly optional?: boolean;
}

export interface ExecAction {
  readonly command: readonly string[];
}

export interface Probe {
  readonly exec?: ExecAction;
  readonly httpGet?: { readonly path?: string; readonly port: number | string };
  readonly tcpSocket?: { readonly port: number | string };
  readonly initialDelaySeconds?: number;
  readonly periodSeconds?: number;
  readonly timeoutSeconds?: number;
  readonly successThreshold?: number;
  readonly failureThreshold?: number;
}

export interface Volume extends VolumeSource {
  readonly name: string;
  readonly emptyDir?: object;
  readonly persistentVolumeClaim?: { readonly claimName: string };
  readonly secret?: FileSource & { readonly secretName: string };
  readonly projected?: { readonly sources: readonly VolumeSource[]; readonly defaultMode?: number };
}

/** What gives files to a volume by itself, or to a projected one. */
export interface VolumeSource {
  readonly configMap?: FileSource & { readonly name: string };
  readonly secret?: FileSource & { readonly name?: string; readonly secretName?: string };
  readonly downwardAPI?: {
    readonly items?: readonly { readonly path: string; readonly fieldRef?: { readonly fieldPath: string } }[];
    readonly defaultMode?: number;
  };
  readonly serviceAccountToken?: { readonly path: string; readonly audience?: string };
}
interface FileSource {
  readonly items?: readonly { readonly key: string; readonly path: string }[];
  readonly defaultMode?: number;
  readonly optional?: boolean;
}

export interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
}
/** Values are base64. */
export interface Secret extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

export interface Claim extends KubeObject {
  readonly metadata: KubeObject["metadata"] & { readonly namespace: string };
  readonly spec: {
    readonly storageClassName?: string;
    readonly accessModes: readonly string[];
    readonly volumeName?: string;
    readonly resources: { readonly requests: { readonly storage: string } };
  };
  readonly status: { readonly phase: string; readonly capacity?: { readonly storage: string } };
}
export interface PersistentVolume extends KubeObject {
  readonly spec: {
    readonly hostPath?: { readonly path: string };
    readonly persistentVolumeReclaimPolicy: string;
    readonly claimRef?: { readonly uid?: string };
  };
  readonly status: { readonly phase: string };
}

export interface Service extends KubeObject {
  readonly metadata: KubeObject["metadata"] & { readonly namespace: string };
  readonly spec: {
    readonly clusterIP?: string;
    readonly ports?: readonly { readonly name?: string; readonly port: number; readonly protocol: string }[];
  };
}
export interface EndpointSlice extends KubeObject {
  readonly metadata: KubeObject["metadata"] & { readonly namespace: string };
  readonly endpoints:
    | readonly {
        readonly addresses: readonly string[];
        readonly hostname?: string;
        readonly conditions: { readonly ready?: boolean };
      }[]
    | null;
  readonly ports?: readonly { readonly name?: string; readonly port?: number }[] | null;
}

export interface NetworkPolicy extends KubeObject {
  readonly metadata: KubeObject["metadata"] & { readonly namespace: string };
  readonly spec: {
    readonly podSelector: Selector;
    readonly policyTypes?: readonly string[];
    readonly ingress?: readonly { readonly from?: readonly Peer[]; readonly ports?: readonly PolicyPort[] }[];
    readonly egress?: readonly { readonly to?: readonly Peer[]; readonly ports?: readonly PolicyPort[] }[];
  };
}
export interface Peer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}
export interface PolicyPort {
  readonly port?: number | string;
  readonly protocol?: string;
}
export interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
    readonly values?: readonly string[];
  }[];
}
