using System.Diagnostics;
using System.Runtime.InteropServices;
using ControlPlane.Tests;
using Npgsql;

namespace ControlPlane.Postgres.Tests;

/// <summary>
/// A server of the test's own, of Debian's packages, in a folder of its own, on a unix socket and 127.0.0.1. It runs as an
/// unprivileged user, as it refuses root, and ends with the process that started it, however that ends.
/// </summary>
sealed partial class PostgresServer : IDisposable
{
    const int Interrupt = 2;
    const int Quit = 3;
    const int Kill9 = 9;

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    readonly DirectoryInfo _folder;
    Process? _process;
    int _pid;

    PostgresServer(DirectoryInfo folder) => _folder = folder;

    /// <summary>Why no server can be started here; null: one can.</summary>
    public static string? Missing { get; } = Binaries is null ? "PostgreSQL is not installed (Debian: postgresql-15)" : null;

    static string? Binaries => Directory.Exists("/usr/lib/postgresql")
        ? Directory.GetDirectories("/usr/lib/postgresql").Select(folder => Path.Combine(folder, "bin"))
            .Where(folder => File.Exists(Path.Combine(folder, "initdb"))).Order(StringComparer.Ordinal).LastOrDefault()
        : null;

    public int Port { get; } = FreePorts.Next();

    public string Data => Path.Combine(_folder.FullName, "data");

    /// <summary>What the server said.</summary>
    public string Log => File.ReadAllText(Path.Combine(_folder.FullName, "log"));

    /// <summary>A fresh and running server; settings are lines of postgresql.conf.</summary>
    public static PostgresServer Start(params string[] settings)
    {
        var server = New();
        server.Run($"{Binaries}/initdb", "-D", server.Data, "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8");
        server.Configure([.. settings, "max_connections = 200", "shared_buffers = 64MB", "max_wal_size = 512MB"]);
        server.Start();
        return server;
    }

    /// <summary>A standby of this server, running, which is called <paramref name="name"/> in synchronous_standby_names.</summary>
    public PostgresServer Standby(string name)
    {
        var standby = New();
        standby.Run(
            $"{Binaries}/pg_basebackup", "-D", standby.Data, "-h", "127.0.0.1", "-p", $"{Port}", "-U", "postgres", "-X", "stream", "-c", "fast");
        standby.Configure($"primary_conninfo = 'host=127.0.0.1 port={Port} user=postgres application_name={name}'");
        standby.Run("touch", Path.Combine(standby.Data, "standby.signal"));
        standby.Start();
        return standby;
    }

    /// <summary>Settings that the next start finds.</summary>
    public void Configure(params string[] settings)
    {
        var file = Path.Combine(Data, "postgresql.auto.conf");
        File.AppendAllLines(file, settings);
    }

    public void Start()
    {
        var start = Command("bash", "-c", """
            "$1" -D "$2" -p "$3" -k "$4" -h 127.0.0.1 >>"$4/log" 2>&1 & server=$!
            echo "$server"
            read -r _
            kill -QUIT "$server" 2>/dev/null
            wait "$server"
            """, "bash", $"{Binaries}/postgres", Data, $"{Port}", _folder.FullName);
        start.RedirectStandardInput = start.RedirectStandardOutput = true;
        _process = Process.Start(start)!;
        _pid = int.Parse(_process.StandardOutput.ReadLine()!, null);
        Until(() => Answers() || _process.HasExited);
        if (_process.HasExited)
        {
            throw new InvalidOperationException(Log);
        }
    }

    /// <summary>In order: connections are ended, and what was committed is on the disk.</summary>
    public void Stop() => End(Interrupt);

    /// <summary>At once, as after a crash of the server.</summary>
    public void Crash() => End(Quit);

    /// <summary>Without a word to anybody.</summary>
    public void Kill() => End(Kill9);

    public void Promote()
    {
        Execute("SELECT pg_promote(true, 30)");
        Until(() => Scalar("SELECT NOT pg_is_in_recovery()") is true);
    }

    public string ConnectionString(string database = "postgres", string user = "postgres", string more = "") =>
        $"Host=127.0.0.1;Port={Port};Username={user};Database={database};{more}";

    public NpgsqlConnection Connect(string database = "postgres", string user = "postgres")
    {
        var connection = new NpgsqlConnection(ConnectionString(database, user, "Pooling=false"));
        connection.Open();
        return connection;
    }

    public object? Scalar(string sql, string database = "postgres")
    {
        using var connection = Connect(database);
        using var command = new NpgsqlCommand(sql, connection);
        return command.ExecuteScalar();
    }

    public void Execute(string sql, string database = "postgres") => _ = Scalar(sql, database);

    /// <summary>A setting of the running server, by reload.</summary>
    public void Set(string name, string value)
    {
        Execute($"ALTER SYSTEM SET {name} = '{value}'");
        Execute("SELECT pg_reload_conf()");
        Until(() => Equals(Scalar($"SHOW {name}"), value));
    }

    public static void Until(Func<bool> condition)
    {
        var watch = Stopwatch.StartNew();
        while (!condition())
        {
            if (watch.Elapsed > Patience)
            {
                throw new TimeoutException("the server did not come to what was waited for");
            }
            Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System).Wait();
        }
    }

    public void Dispose()
    {
        End(Quit);
        _folder.Delete(recursive: true);
    }

    static PostgresServer New()
    {
        var folder = Directory.CreateTempSubdirectory("pg-");
        if (Environment.IsPrivilegedProcess)
        {
            using var chown = Process.Start("chown", ["postgres", folder.FullName]);
            chown.WaitForExit();
        }
        return new PostgresServer(folder);
    }

    bool Answers()
    {
        try
        {
            using var connection = Connect();
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    void End(int signal)
    {
        if (_process is not { } process)
        {
            return;
        }
        _process = null;
        _ = Signal(_pid, signal);
        Until(() => Signal(_pid, 0) != 0);
        process.StandardInput.Close();
        process.WaitForExit();
        process.Dispose();
    }

    void Run(params string[] command)
    {
        using var process = Process.Start(Command(command))!;
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{string.Join(' ', command)} ended with {process.ExitCode}");
        }
    }

    /// <summary>As the packages' own user when we are root.</summary>
    ProcessStartInfo Command(params string[] command)
    {
        string[] all = Environment.IsPrivilegedProcess
            ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--", .. command]
            : command;
        var start = new ProcessStartInfo(all[0]) { WorkingDirectory = _folder.FullName, RedirectStandardOutput = true };
        Array.ForEach(all[1..], start.ArgumentList.Add);
        return start;
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int pid, int signal);
}
