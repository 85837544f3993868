// Owns a DNS server (RFC 1035, over UDP) that answers as the test says.
import { createSocket } from 'node:dgram'
import ipaddr from 'ipaddr.js'

/** What a name has: addresses, or a failure to tell. */
export type Zone = (name: string) => readonly string[] | 'SERVFAIL'

const types = { ipv4: 1, ipv6: 28 }

export async function startNameServer(zone: Zone): Promise<{ server: string; close(): Promise<void> }> {
  const socket = createSocket('udp4')
  socket.on('message', (query, sender) => socket.send(reply(query, zone), sender.port, sender.address))
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  return {
    server: `127.0.0.1:${socket.address().port}`,
    close: () => new Promise((resolve) => socket.close(resolve)),
  }
}

function reply(query: Buffer, zone: Zone): Buffer {
  const { name, type, end } = readQuestion(query)
  const found = zone(name)
  const addresses = found === 'SERVFAIL' ? [] : found.map((text) => ipaddr.parse(text))
  const records = addresses.filter((address) => types[address.kind()] === type).map((address) => record(type, address))
  const header = Buffer.alloc(12)
  query.copy(header, 0, 0, 2)
  header.writeUInt16BE(found === 'SERVFAIL' ? 0x8182 : 0x8180, 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(records.length, 6)
  return Buffer.concat([header, query.subarray(12, end), ...records])
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

function record(type: number, address: ipaddr.IPv4 | ipaddr.IPv6): Buffer {
  const data = Buffer.from(address.toByteArray())
  const head = Buffer.alloc(12)
  head.writeUInt16BE(0xc00c, 0) // the name of the question
  head.writeUInt16BE(type, 2)
  head.writeUInt16BE(1, 4) // IN
  head.writeUInt16BE(data.length, 10) // a time to live of 0 before it
  return Buffer.concat([head, data])
}
