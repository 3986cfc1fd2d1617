using System.Diagnostics;
using ControlPlane.Cli;

namespace ControlPlane.Api.Tests;

/// <summary>Where the token comes from, and where it never goes.</summary>
public sealed class CliTestsToken : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("cpctl").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task The_nearest_token_wins_and_is_sent_as_bearer()
    {
        await using var stub = await CliStub.Start();
        var option = Write("option", "from-option");
        var variable = Write("variable", "from-variable\n");
        Assert.Null(await Sent(stub, null));
        Write("home/.config/cpctl/token", "from-home");
        Assert.Equal("Bearer from-home", await Sent(stub, null));
        Write("work/data/admin.token", "from-data\n");
        Assert.Equal("Bearer from-data", await Sent(stub, null));
        Assert.Equal("Bearer from-variable", await Sent(stub, variable));
        Assert.Equal("Bearer from-option", await Sent(stub, variable, "--token-file", option));
    }

    [Fact]
    public async Task A_token_never_leaves_this_machine_in_clear_text()
    {
        var token = Write("token", "secret");
        var run = await CliRun.Of("--server", "http://192.0.2.1:8080", "--token-file", token, "host", "list");
        Assert.Equal(2, run.Exit);
        Assert.Contains("https://", run.Error);
        Assert.DoesNotContain("secret", run.Error);
    }

    [Theory]
    [InlineData("")]
    [InlineData("two\nlines")]
    [InlineData("a\u001bb")]
    public async Task A_file_that_holds_no_token_is_a_usage_error(string content)
    {
        var run = await CliRun.Of("--token-file", Write("token", content), "host", "list");
        Assert.Equal(2, run.Exit);
    }

    [Fact]
    public async Task The_program_itself_finds_server_and_token_and_hands_its_exit_code_to_the_shell()
    {
        await using var stub = await CliStub.Start();
        stub.On("GET /v1/vms/web-1", 200, """{"name":"web-1"}""");
        Write("work/data/admin.token", "from-data");
        var start = new ProcessStartInfo("dotnet", [typeof(Cpctl).Assembly.Location, "vm", "show", "web-1", "-o", "yaml"])
        {
            WorkingDirectory = Path.Combine(_folder, "work"),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["CPCTL_SERVER"] = stub.Url;
        start.Environment.Remove("CPCTL_TOKEN_FILE");
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync();
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal((0, "name: web-1\n", ""), (process.ExitCode, output, error));
        Assert.Equal("Bearer from-data", stub.Only.Header("Authorization"));
    }

    async Task<string?> Sent(CliStub stub, string? variable, params string[] more)
    {
        await CliRun.Of(["--server", stub.Url, "host", "list", .. more], world => world with
        {
            WorkingDirectory = Path.Combine(_folder, "work"),
            HomeDirectory = Path.Combine(_folder, "home"),
            Variable = name => name is "CPCTL_TOKEN_FILE" ? variable : null,
        });
        return stub.Asked.Last().Header("Authorization");
    }

    string Write(string path, string content)
    {
        var file = Path.Combine(_folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, content);
        return file;
    }
}
