// At CloudFront, on each request. Without a domain of its own the distribution has CloudFront's certificate, and with
// it takes TLS 1.0 and 1.1: whoever comes by these is sent away. And the firewall is told whom CloudFront calls for.
function handler(event) {
  var request = event.request;
  var tls = request.headers["cloudfront-viewer-tls"];
  if (tls && /^TLSv1(\.1)?:/.test(tls.value)) {
    return { statusCode: 426, statusDescription: "Upgrade Required", headers: { upgrade: { value: "TLS/1.2" } } };
  }
  request.headers["x-tidemark-viewer"] = { value: event.viewer.ip };
  return request;
}
