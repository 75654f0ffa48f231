/** Tile38: a leader that takes positions, followers that answer where things are, and what keeps them small. */
import { k8s } from "cdk8s-plus-28";
import { Construct } from "constructs";
import { TILE38 } from "../kubernetes/names.ts";
import type { Model } from "../model/resolve.ts";
import { AofShrink } from "./aof-shrink.ts";
import { Followers } from "./followers.ts";
import { Leader } from "./leader.ts";
import { prepareScript } from "./prepare-script.ts";
import { Tile38Services } from "./services.ts";
import { shrinkScript } from "./shrink-script.ts";

export class Tile38 extends Construct {
  constructor(scope: Construct, id: string, { model }: { readonly model: Model }) {
    super(scope, id);
    new k8s.KubeConfigMap(this, "scripts", {
      metadata: { name: TILE38.scriptsConfigMap },
      data: { "prepare.sh": prepareScript, "shrink.sh": shrinkScript },
    });
    new Tile38Services(this, "services", { model });
    new Leader(this, "leader", { model });
    if (model.environment.tile38.followers.count > 0) new Followers(this, "followers", { model });
    new AofShrink(this, "aof-shrink", { model });
  }
}
