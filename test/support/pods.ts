/** The pods that controllers would make of templates in manifests. */
import type { Manifest } from "../../src/rules/manifests/manifest.ts";

type SecurityContext = Readonly<Record<string, unknown>>;

export interface BarePod {
  readonly apiVersion: "v1";
  readonly kind: "Pod";
  readonly metadata: { readonly name: string; readonly namespace: string; readonly labels: object };
  readonly spec: {
    readonly containers: readonly { readonly name: string; readonly securityContext?: SecurityContext }[];
    readonly securityContext?: SecurityContext;
    readonly volumes?: readonly object[];
  };
}

/**
 * One bare pod for each StatefulSet and CronJob. Pod Security refuses pods and only warns about templates, so this is what
 * shows whether the pods would be admitted.
 */
export const podsOf = (objects: readonly Manifest[]): BarePod[] =>
  objects.flatMap(({ kind, metadata: { name, namespace = "" }, spec }) => {
    const template =
      kind === "StatefulSet" ? spec.template : kind === "CronJob" ? spec.jobTemplate.spec.template : null;
    if (!template) return [];
    const claims = (spec.volumeClaimTemplates ?? []).map(({ metadata: claim }: Manifest) => ({
      name: claim.name,
      persistentVolumeClaim: { claimName: `${claim.name}-${name}-0` },
    }));
    const volumes = [...(template.spec.volumes ?? []), ...claims];
    const metadata = { name, namespace, labels: template.metadata.labels };
    return [{ apiVersion: "v1", kind: "Pod", metadata, spec: { ...template.spec, volumes } }];
  });

/** A pod whose containers have these settings instead of their own. */
export const withContainers = ({ spec, ...pod }: BarePod, settings: SecurityContext): BarePod => ({
  ...pod,
  spec: {
    ...spec,
    containers: spec.containers.map(({ securityContext, ...container }) => ({
      ...container,
      securityContext: { ...securityContext, ...settings },
    })),
  },
});
