using System.Net;
using ControlPlane.Actors.Ports.Properties;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Actors;

/// <summary>The remote side of an access rule has one meaning for who takes it in and for who enforces it.</summary>
public sealed class RemoteAddressTests
{
    [Theory]
    [InlineData("00-15-5D-01-02-03", "00:15:5d:01:02:03", RemoteKind.Mac, 48)]
    [InlineData("10.0.0.9", "10.0.0.9", RemoteKind.Ip4, 32)]
    [InlineData("10.16.0.0/12", "10.16.0.0/12", RemoteKind.Ip4, 12)]
    [InlineData("0.0.0.0/0", "0.0.0.0/0", RemoteKind.Ip4, 0)]
    [InlineData("2001:DB8:0::1", "2001:db8::1", RemoteKind.Ip6, 128)]
    [InlineData("2001:db8::/32", "2001:db8::/32", RemoteKind.Ip6, 32)]
    public void Address_or_prefix_is_taken_in_its_canonical_form(string text, string canonical, RemoteKind kind, int prefix)
    {
        var remote = RemoteAddress.Parse(text)!;
        Assert.Equal((canonical, kind, prefix), (remote.Text, remote.Kind, remote.Prefix));
        Assert.Equal(canonical, ((PropertyValue.Acl)PropertyValues.Read(Acl(text)).Value!).Rules.Single().Remote);
    }

    [Theory]
    [InlineData("10.0.0.1/8")] // bits outside of the prefix
    [InlineData("2001:db8::1/32")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.0/+8")]
    [InlineData("10.0.0.0/")]
    [InlineData("10.0.0.0/8/8")]
    [InlineData("10.1")]
    [InlineData("010.0.0.1")] // eight to some readers
    [InlineData("fe80::1%eth0")]
    [InlineData("00:15:5d-01:02:03")]
    [InlineData("example.org")]
    [InlineData("")]
    public void Text_that_says_anything_else_is_no_remote_side(string text)
    {
        Assert.Null(RemoteAddress.Parse(text));
        Assert.Equal("value[0].remote", PropertyValues.Read(Acl(text)).Fault?.Field);
    }

    [Theory]
    [InlineData("10.16.0.0/12", "10.31.255.255", true)]
    [InlineData("10.16.0.0/12", "10.32.0.0", false)]
    [InlineData("10.0.0.9", "10.0.0.9", true)]
    [InlineData("::/0", "2001:db8::1", true)]
    [InlineData("::/0", "10.0.0.9", false)]
    [InlineData("2001:db8::/32", "2001:db9::", false)]
    [InlineData("00:15:5d:01:02:03", "10.0.0.9", false)]
    public void Prefix_contains_the_addresses_of_its_own_kind(string remote, string address, bool contained) =>
        Assert.Equal(contained, RemoteAddress.Parse(remote)!.Contains(IPAddress.Parse(address)));

    static PropertyParameters Acl(string remote) => new(PropertyType.Custom, "acl", PropertyIds.Acl, 0,
        System.Text.Json.JsonSerializer.SerializeToElement(new[] { new { direction = "inbound", action = "deny", remote } }));
}
