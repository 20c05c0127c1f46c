/** How many slots a Cluster has. */
export const SLOT_COUNT = 16_384;

/** The slot that Cluster gives to keys with this hash tag: CRC16 (XMODEM) of its UTF-8 bytes. */
export function slotOf(tag: string): number {
  let crc = 0;
  for (const byte of Buffer.from(tag)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) {
      crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021;
    }
    crc &= 0xffff;
  }
  return crc % SLOT_COUNT;
}
