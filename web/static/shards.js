/** Which shard has a player's games: the rule of servicekit/db/sharding.py, with the steps of its arithmetic. */

/** A UUID as the number of 128 bits that it is. */
export function toNumber(userId) {
  return BigInt(`0x${userId.replaceAll("-", "")}`);
}

/** The number of the shard, from 0. */
export function shardOf(userId, shards) {
  return Number(toNumber(userId) % BigInt(shards));
}
