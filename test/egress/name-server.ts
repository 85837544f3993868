// Owns a DNS server (RFC 1035, over UDP) that answers as the test says.
import { createSocket } from 'node:dgram'
import ipaddr from 'ipaddr.js'

/**
 * What a name has: addresses; another name that has them (a CNAME); a failure to tell; or no answer at all.
 * It is called once for IPv4 and once for IPv6.
 */
export type Zone = (
  name: string,
  kind: 'ipv4' | 'ipv6',
) => readonly string[] | { alias: string; addresses: readonly string[] } | 'SERVFAIL' | 'silence'

const types = { ipv4: 1, ipv6: 28, alias: 5 }

export async function startNameServer(zone: Zone): Promise<{ server: string; close(): Promise<void> }> {
  const socket = createSocket('udp4')
  socket.on('message', (query, sender) => {
    const answer = reply(query, zone)
    if (answer !== null) socket.send(answer, sender.port, sender.address)
  })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  return {
    server: `127.0.0.1:${socket.address().port}`,
    close: () => new Promise((resolve) => socket.close(resolve)),
  }
}

function reply(query: Buffer, zone: Zone): Buffer | null {
  const { name, type, end } = readQuestion(query)
  const kind = type === types.ipv6 ? 'ipv6' : 'ipv4'
  const found = zone(name, kind)
  if (found === 'silence') return null
  const records = found === 'SERVFAIL' ? [] : recordsOf(found, kind)
  const header = Buffer.alloc(12)
  query.copy(header, 0, 0, 2)
  header.writeUInt16BE(found === 'SERVFAIL' ? 0x8182 : 0x8180, 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(records.length, 6)
  return Buffer.concat([header, query.subarray(12, end), ...records])
}

const ofQuestion = Buffer.from([0xc0, 0x0c]) // a pointer to the name that was asked for

function recordsOf(found: Exclude<ReturnType<Zone>, string>, kind: 'ipv4' | 'ipv6'): Buffer[] {
  if ('alias' in found) {
    const alias = wireName(found.alias)
    return [record(ofQuestion, types.alias, alias), ...addressRecords(alias, found.addresses, kind)]
  }
  return addressRecords(ofQuestion, found, kind)
}

function addressRecords(owner: Buffer, addresses: readonly string[], kind: 'ipv4' | 'ipv6'): Buffer[] {
  return addresses
    .map((text) => ipaddr.parse(text))
    .filter((address) => address.kind() === kind)
    .map((address) => record(owner, types[kind], Buffer.from(address.toByteArray())))
}

function readQuestion(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 }
}

function record(owner: Buffer, type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(10)
  head.writeUInt16BE(type, 0)
  head.writeUInt16BE(1, 2) // IN
  head.writeUInt16BE(data.length, 8) // a time to live of 0 before it
  return Buffer.concat([owner, head, data])
}

function wireName(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]))
  return Buffer.concat([...labels, Buffer.from([0])])
}
