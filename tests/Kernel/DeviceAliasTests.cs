using System.Text;
using ControlPlane.DriverLinux;
using ControlPlane.Messages;

namespace ControlPlane.Kernel.Tests;

/// <summary>The read-back's text, without a kernel.</summary>
public sealed class DeviceAliasTests
{
    [Theory]
    [InlineData("nic/web/eth0", "blue", "port-1")]
    [InlineData("a|b%7C", "s|%", "|")]
    [InlineData("", "", "")]
    public void Alias_is_read_as_it_was_written(string nicKey, string switchName, string port)
    {
        var alias = new DeviceAlias(nicKey, switchName, port, 5, 9);
        Assert.Equal(alias, DeviceAlias.Parse(alias.Write()));
    }

    [Fact]
    public void Alias_never_exceeds_what_the_kernel_takes_and_the_record_gives_the_names_back()
    {
        var alias = new DeviceAlias(new string('ü', 200), new string('s', 200), new string('p', 200), long.MaxValue, long.MaxValue);
        var record = new DeviceRecord("n-1", alias.NicKey, alias.Switch, alias.Port, "vm", "nic", NicAttach.Veth, null, 1500);

        var text = alias.Write();

        Assert.InRange(Encoding.UTF8.GetByteCount(text), 1, 255);
        Assert.Equal(alias, DeviceAlias.Parse(text)!.Resolve(record));
    }

    [Fact]
    public void Alias_of_another_hand_is_not_ours()
    {
        var text = new DeviceAlias("nic", "blue", "port", 5, 9).Write();
        Assert.Null(DeviceAlias.Parse(text.Replace("|5|", "|6|", StringComparison.Ordinal)));
        Assert.Null(DeviceAlias.Parse(text[..^1]));
        Assert.Null(DeviceAlias.Parse("uplink to the rack"));
        Assert.Null(DeviceAlias.Parse(""));
    }

    [Theory]
    [InlineData("blue", "blue")]
    [InlineData("exactly-fifteen", "exactly-fifteen")]
    public void Switch_name_that_fits_is_the_bridges_name(string name, string bridge) => Assert.Equal(bridge, DeviceNames.Bridge(name));

    [Theory]
    [InlineData("sixteen-letters-")]
    [InlineData("with space")]
    [InlineData("a/b")]
    [InlineData("lo")]
    [InlineData("..")]
    public void Switch_name_that_does_not_fit_is_hashed(string name)
    {
        Assert.StartsWith("br-", DeviceNames.Bridge(name), StringComparison.Ordinal);
        Assert.InRange(DeviceNames.Bridge(name).Length, 1, 15);
        Assert.InRange(DeviceNames.GuestDevice(name).Length, 1, 15);
    }
}
