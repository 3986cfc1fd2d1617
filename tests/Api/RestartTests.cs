using Microsoft.Data.Sqlite;

namespace ControlPlane.Api.Tests;

/// <summary>What holds after the process, or a part of what it keeps, was away.</summary>
public sealed class RestartTests(RunningControlPlane plane) : IClassFixture<RunningControlPlane>
{
    [Fact]
    public async Task An_operation_of_a_vm_whose_view_stopped_ends_all_the_same()
    {
        var vm = await plane.Vm(await plane.Switch());
        await plane.Stop();
        Run($"INSERT INTO stopped_views VALUES ('vm/{vm}', 1, 'planted')");
        await plane.Start();
        await plane.Ready();

        var started = await plane.Post($"/v1/vms/{vm}/start?wait=30s");

        Assert.Equal((200, "done"), (started.Status, started.Body.Text("state")));
    }

    void Run(string sql)
    {
        using var connection = Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    SqliteConnection Open()
    {
        var connection = new SqliteConnection($"Data Source={Path.Combine(plane.Data, "read.db")};Pooling=False");
        connection.Open();
        return connection;
    }
}
