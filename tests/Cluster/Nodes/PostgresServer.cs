using System.Diagnostics;

namespace ControlPlane.Tests.Cluster.Nodes;

/// <summary>A PostgreSQL of the test's own, on 127.0.0.1, with nothing in it. As root it runs as the user postgres.</summary>
sealed class PostgresServer : IAsyncDisposable
{
    readonly string _directory;
    readonly int _port;

    PostgresServer(string directory, int port) => (_directory, _port) = (directory, port);

    public string ConnectionString => $"Host=127.0.0.1;Port={_port};Username=postgres;Database=postgres;Include Error Detail=true";

    public int Port => _port;

    public static async Task<PostgresServer> Start()
    {
        var directory = Directory.CreateTempSubdirectory("postgres-").FullName;
        var server = new PostgresServer(directory, FreePorts.Next());
        await Run("chown", "postgres", directory);
        await server.AsPostgres("initdb", "-D", server.Data, "-A", "trust", "-U", "postgres", "--no-sync");
        await server.Up();
        return server;
    }

    string Data => Path.Combine(_directory, "data");

    public Task Up() => AsPostgres(
        "pg_ctl", "-D", Data, "-w", "-l", Path.Combine(_directory, "log"),
        "-o", $"-p {_port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={_directory} -c max_connections=200", "start");

    public Task Down(string mode = "fast") => AsPostgres("pg_ctl", "-D", Data, "-w", "-m", mode, "stop");

    public async ValueTask DisposeAsync()
    {
        await Down("immediate");
        Directory.Delete(_directory, recursive: true);
    }

    Task AsPostgres(string program, params string[] arguments) => Environment.IsPrivilegedProcess
        ? Run("runuser", ["-u", "postgres", "--", Binary(program), .. arguments])
        : Run(Binary(program), arguments);

    static string Binary(string program) => Path.Combine("/usr/lib/postgresql/15/bin", program);

    /// <summary>Not redirected: the server inherits a pipe and keeps it open for as long as it runs.</summary>
    static async Task Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("sh", ["-c", "exec \"$@\" >/dev/null 2>&1 </dev/null", "sh", program, .. arguments]))!;
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {process.ExitCode}");
    }
}
