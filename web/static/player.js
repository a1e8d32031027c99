/** Which shard has a player's games: the arithmetic of the id, with the names of the shards as stats gives them. */

import { send } from "./api.js";
import { fill, make, name } from "./dom.js";
import { shardOf, toNumber } from "./shards.js";
import { TEXTS } from "./texts.js";

export async function drawPlayer(section, username, shards) {
  const { data } = await send("GET", `/api/users?username=${encodeURIComponent(username)}`, { isShown: false });
  const player = data.users[0];
  if (!player) return fill(section, make("p", { class: "error" }, TEXTS.noSuchPlayer));
  const number = shardOf(player.user_id, shards.length);
  return fill(section,
    make("p", {}, name(player.username), " ", TEXTS.hasTheId),
    make("p", { class: "sum" }, make("code", {}, player.user_id)),
    make("p", {}, TEXTS.asNumber),
    make("p", { class: "sum" }, make("code", {}, `${toNumber(player.user_id)} mod ${shards.length} = `, make("strong", {}, String(number)))),
    make("p", {}, TEXTS.livesIn, " ", make("strong", {}, shards[number])),
    make("ol", { class: "shards", start: "0" }, ...shards.map((shard, index) =>
      make("li", index === number ? { class: "own", "aria-current": "true" } : {}, shard))));
}
