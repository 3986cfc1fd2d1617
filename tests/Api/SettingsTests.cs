using System.Collections;
using ControlPlane.Host.Composition;

namespace ControlPlane.Api.Tests;

public sealed class SettingsTests
{
    [Theory]
    [InlineData("--prot 80", "prot")]
    [InlineData("--port 65536", "65536")]
    [InlineData("--port eighty", "eighty")]
    [InlineData("--port", "--port")]
    [InlineData("--driver hyper-v", "hyper-v")]
    [InlineData("--hosts hv01,hv01", "hv01,hv01")]
    [InlineData("--hosts HV01", "HV01")]
    [InlineData("--listen 0.0.0.0", "0.0.0.0")]
    [InlineData("--listen everywhere", "everywhere")]
    [InlineData("both", "both")]
    [InlineData("all extra", "extra")]
    [InlineData("--postgres Host=db", "Database")]
    [InlineData("--postgres Host=db;Database=cp", "Username")]
    [InlineData("--postgres Host=db;Colour=red", "Colour", "colour")]
    [InlineData("--postgresPool 3", "postgresPool")]
    [InlineData("--postgresPool many", "postgresPool")]
    [InlineData("--postgresStandby perhaps", "perhaps")]
    [InlineData("--postgresPool 10", "without postgres")]
    [InlineData("--agents everywhere", "everywhere")]
    [InlineData("--agents 10.0.0.1", "ADDRESS:PORT")]
    [InlineData("--agents 10.0.0.1:8092", "agents needs certificates")]
    [InlineData("--certificates dir", "without cluster or agents")]
    [InlineData("--issuer dir", "without agents")]
    [InlineData("--nodes http://node1:8092", "http://node1:8092")]
    [InlineData("--nodes https://node1:8092/path", "https://HOST:PORT")]
    [InlineData("database forget", "accept-loss")]
    [InlineData("database", "accept-loss")]
    public void A_wrong_option_refuses_to_start_and_is_named(string args, params string[] named)
    {
        var refused = Assert.Throws<SettingException>(() => Read(args.Split(' ')));
        Assert.Contains(named, name => refused.Message.Contains(name, StringComparison.Ordinal));
    }

    [Fact]
    public void A_connection_that_is_refused_is_not_repeated_as_it_may_hold_a_password()
    {
        var refused = Assert.Throws<SettingException>(() => Read(["--postgres", "Host=db;Database=cp;Password=hunter2"]));
        Assert.DoesNotContain("hunter2", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_database_is_given_by_its_connection_and_what_is_asked_of_it()
    {
        var options = Read(
            ["node", "--postgres", "Host=db1,db2;Database=cp;Username=worker", "--postgresStandby", "synchronous"],
            new Hashtable { ["CONTROLPLANE__POSTGRESPOOL"] = "50", ["CONTROLPLANE__POSTGRESOWNER"] = "Host=db1;Database=cp;Username=owner" });

        Assert.Equal((50, true), (options.Database!.Pool, options.Database.NeedsStandby));
        Assert.Contains("Username=owner", options.Database.Owner, StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_variable_refuses_to_start_and_is_named()
    {
        var refused = Assert.Throws<SettingException>(() => Read([], new Hashtable { ["CONTROLPLANE__PROT"] = "80" }));
        Assert.Contains("CONTROLPLANE__PROT", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"ControlPlane":{"Colour":"red"}}""", "Colour")]
    [InlineData("""{"Kestrel":{}}""", "Kestrel")]
    [InlineData("""{"ControlPlane":{"Port":80,"Port":81}}""", "Port")]
    [InlineData("""{"ControlPlane":""", "settings")]
    public void A_wrong_file_refuses_to_start_and_is_named(string text, string named)
    {
        var refused = Assert.Throws<SettingException>(() => Read([], file: text));
        Assert.Contains(named, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_command_line_is_over_the_environment_and_that_over_the_file()
    {
        var options = Read(
            ["node", "--port=3", "--hosts", "a,b"],
            new Hashtable { ["CONTROLPLANE__PORT"] = "2", ["CONTROLPLANE__DRIVER"] = "simulated", ["HOME"] = "/" },
            """{"ControlPlane":{"Port":1,"Data":"/tmp/from-file"},"Logging":{"LogLevel":{}}}""");

        Assert.Equal((NodeRole.Node, 3, "/tmp/from-file", "simulated"), (options.Role, options.Port, options.Data, options.Driver));
        Assert.Equal(["a", "b"], options.Hosts);
    }

    [Fact]
    public void Nothing_given_is_one_node_on_loopback_with_two_hosts()
    {
        var options = Read([]);
        Assert.Equal((NodeRole.All, 8080, "127.0.0.1"), (options.Role, options.Port, options.Listen.ToString()));
        Assert.Equal(["hv01", "hv02"], options.Hosts);
    }

    static NodeOptions Read(string[] args, IDictionary? environment = null, string? file = null)
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("settings-").FullName, "settings.json");
        if (file is not null)
        {
            File.WriteAllText(path, file);
        }
        try
        {
            return Settings.Read(args, path, environment ?? new Hashtable(), "simulated");
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        }
    }
}
