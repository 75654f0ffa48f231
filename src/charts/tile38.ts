import type { Construct } from "constructs";
import type { Model } from "../model/resolve.ts";
import { Tile38 } from "../tile38/tile38.ts";
import { BackboneChart } from "./backbone-chart.ts";

export function tile38Chart(scope: Construct, model: Model): void {
  new Tile38(new BackboneChart(scope, "40-tile38", model), "tile38", { model });
}
