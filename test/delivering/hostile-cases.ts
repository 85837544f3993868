// Owns which harm is tried on the sender of webhooks, and what each is to be recorded as.
import type { ErrorCode } from '../../src/egress/error-codes.ts'
import type { Zone } from '../egress/name-server.ts'
import { expired, selfSigned } from '../egress/self-signed.ts'
import * as hostile from './hostile.ts'

/** All of an attempt, and the part of it until the headers are there. */
export const totalMs = 3_900
export const headersMs = 3_000

export interface Case {
  name: string
  open: hostile.Open
  outcome: string
  status?: number
  errorCode?: ErrorCode
  /** The system's word, where several reasons have the same outcome. */
  code?: string
  /** Its URL's origin, but for the port. */
  origin?: string
  zone?: Zone
}

export const cases: Case[] = [
  { name: 'never answers', open: hostile.silent, outcome: 'timeout', errorCode: 'answer_timeout' },
  { name: 'drips headers', open: hostile.drippingHeaders, outcome: 'timeout', errorCode: 'answer_timeout' },
  { name: 'sends 1xx without end', open: hostile.endlessInformation, outcome: 'timeout', errorCode: 'answer_timeout' },
  {
    name: 'answers 200 when the time is over',
    open: hostile.late(totalMs + 100),
    outcome: 'timeout',
    errorCode: 'answer_timeout',
  },
  { name: 'drips a body behind 200', open: hostile.drippingBody(200), outcome: 'delivered', status: 200 },
  { name: 'drips a body behind 500', open: hostile.drippingBody(500), outcome: 'http_error', status: 500 },
  { name: 'sends a body of 8 MiB', open: hostile.hugeBody, outcome: 'delivered', status: 200 },
  {
    name: 'sends 60 KiB of headers',
    open: hostile.manyCookies,
    outcome: 'delivered',
    status: 200,
  },
  { name: 'sends a gzip bomb', open: hostile.gzipBomb, outcome: 'http_error', status: 500 },
  {
    name: 'sends headers without end',
    open: hostile.hugeHeaders,
    outcome: 'invalid_http',
    errorCode: 'headers_too_large',
  },
  { name: 'speaks another protocol', open: hostile.noHttp, outcome: 'invalid_http', errorCode: 'malformed_http' },
  {
    name: 'ends lines with a line feed alone',
    open: hostile.lenientHttp,
    outcome: 'invalid_http',
    errorCode: 'malformed_http',
  },
  {
    name: 'resets before it answers',
    open: hostile.resetBeforeHeaders,
    outcome: 'connect_error',
    errorCode: 'connection_reset',
  },
  { name: 'resets in mid-body behind 200', open: hostile.resetInBody(200), outcome: 'delivered', status: 200 },
  { name: 'resets in mid-body behind 500', open: hostile.resetInBody(500), outcome: 'http_error', status: 500 },
  {
    name: 'redirects to metadata',
    open: hostile.answering(307, { location: 'http://169.254.169.254/latest/meta-data/' }),
    outcome: 'redirect',
    status: 307,
  },
  {
    name: 'listens no more',
    open: hostile.absent,
    outcome: 'connect_error',
    errorCode: 'connection_refused',
    code: 'ECONNREFUSED',
  },
  {
    name: 'has an expired certificate',
    open: hostile.behindTls(expired),
    origin: 'https://127.0.0.1',
    outcome: 'tls_error',
    errorCode: 'certificate_expired',
    code: 'CERT_HAS_EXPIRED',
  },
  {
    name: 'has the certificate of another host',
    open: hostile.behindTls(selfSigned),
    origin: 'https://hooks.example.com',
    zone: () => ['127.0.0.1'],
    outcome: 'tls_error',
    errorCode: 'certificate_wrong_host',
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  },
  {
    name: 'speaks no TLS',
    open: hostile.answering(200),
    origin: 'https://127.0.0.1',
    outcome: 'tls_error',
    errorCode: 'tls_failed',
  },
  {
    name: 'has a name that does not resolve',
    open: hostile.absent,
    origin: 'http://hooks.example.com',
    zone: () => 'SERVFAIL',
    outcome: 'dns_error',
    errorCode: 'dns_failed',
  },
  {
    name: 'has a name that nobody answers for',
    open: hostile.absent,
    origin: 'http://hooks.example.com',
    zone: () => 'silence',
    outcome: 'dns_error',
    errorCode: 'dns_timeout',
  },
  {
    name: 'has a name that nobody has any more',
    open: hostile.absent,
    origin: 'http://hooks.invalid',
    zone: () => [],
    outcome: 'dns_error',
    errorCode: 'name_not_found',
  },
  {
    name: 'has a private address by now',
    open: hostile.absent,
    origin: 'http://hooks.example.com',
    zone: () => ['127.0.0.1', '169.254.169.254'],
    outcome: 'blocked_address',
    errorCode: 'blocked_address',
  },
]
